// Names are known before anything is evaluated: this pass finds unknown and double names, statements in the wrong
// place and unused bindings in every declaration of a file, also those that no network reaches.
using System.Collections.Immutable;
using ModelCompiler.Grammar;
using ModelCompiler.Operators;

namespace ModelCompiler.Evaluation;

/// <param name="recorder">Told of every name and its use, also in declarations with mistakes of syntax; null when nobody asks.</param>
internal sealed class NameCheck(FileSet files, FileUnit unit, Reporter reporter, NameRecorder? recorder = null)
{
    private readonly Level top = new(null);

    public void Run()
    {
        DeclareFile();
        recorder?.Open(unit.Syntax.Span, top);
        foreach (var declaration in unit.Syntax.Declarations)
        {
            if (unit.IsDamaged(declaration) && recorder is null)
            {
                continue;
            }

            switch (declaration)
            {
                case BlockSyntax block:
                    new BodyCheck(this, top, block).Run();
                    break;
                case NetworkSyntax network:
                    new BodyCheck(this, top, network).Run();
                    break;
                case DerivedNetworkSyntax derived:
                    Visit(derived.Value, top, Role.Value);
                    break;
                case TopLevelSyntax { Statement: BindingSyntax binding }:
                    Visit(binding.Value, top, Role.Value);
                    break;
                case TopLevelSyntax { Statement: SharedSyntax shared }:
                    Visit(shared.Value, top, Role.Value);
                    break;
                case TopLevelSyntax when unit.Incomplete:
                    break; // the head that it belongs to was reported
                case TopLevelSyntax other:
                    Error("CNN2028", FirstWord(other.Statement), $"'{Word(other.Statement)}' stands inside a {(other.Statement is OutSyntax ? "block" : "network")}, not at the level of the file");
                    break;
            }
        }
    }

    internal enum Role
    {
        Value,

        /// <summary>Behind an arrow or in front of parentheses.</summary>
        Stage,
    }

    /// <summary>The names of one scope and whether something used them.</summary>
    internal sealed class Level(Level? parent)
    {
        public Level? Parent { get; } = parent;

        public Dictionary<string, SourceSpan> Names { get; } = new(StringComparer.Ordinal);

        public HashSet<string> Used { get; } = new(StringComparer.Ordinal);

        public bool InBlock { get; init; } = parent?.InBlock ?? false;

        /// <summary>Whether this is the body of a block or network, and not of a comprehension.</summary>
        public bool IsBody { get; init; }

        /// <summary>Whether <c>in</c> was mentioned in this body.</summary>
        public bool UsesInput { get; private set; }

        public void UseInput()
        {
            var level = this;
            while (!level.IsBody && level.Parent is not null)
            {
                level = level.Parent;
            }

            level.UsesInput = true;
        }

        /// <summary>Where the name is defined; null when it is not.</summary>
        public SourceSpan? Use(string name)
        {
            for (var level = this; level is not null; level = level.Parent)
            {
                if (level.Names.TryGetValue(name, out var definition))
                {
                    level.Used.Add(name);
                    return definition;
                }
            }

            return null;
        }

        public bool Has(string name) => Names.ContainsKey(name) || Parent?.Has(name) == true;

        public IEnumerable<string> All => Parent is null ? Names.Keys : Names.Keys.Concat(Parent.All);
    }

    internal Level Top => top;

    internal SourceSpan Place(TextSpan span) => new(unit.Source, span);

    internal void Error(string code, TextSpan span, string message, params DiagnosticNote[] notes) =>
        reporter.Error(code, Place(span), message, null, notes);

    internal void Advise(string code, Severity severity, TextSpan span, string message) => reporter.Add(code, severity, Place(span), message, null);

    internal void Declare(Level level, NameSyntax name)
    {
        if (level.Names.TryGetValue(name.Text, out var other))
        {
            var where = other.File == unit.Source ? $"in line {other.Line}" : $"in '{other.File.Path}'";
            Error("CNN2027", name.Span, $"'{name.Text}' is defined already {where}; names are bound once", new DiagnosticNote(other, $"'{name.Text}' is first defined here"));
            return;
        }

        level.Names.Add(name.Text, Place(name.Span));
        recorder?.Use(name.Span, Place(name.Span));
    }

    internal void Open(TextSpan span, Level level) => recorder?.Open(span, level);

    private bool Use(NameExpression name, Level level)
    {
        if (level.Use(name.Name) is not { } definition)
        {
            return false;
        }

        recorder?.Use(name.Span, definition);
        return true;
    }

    internal static TextSpan FirstWord(StatementSyntax statement) => new(statement.Span.Start, Word(statement).Length);

    internal static string Word(StatementSyntax statement) => statement switch
    {
        InputSyntax => "input",
        TargetSyntax => "target",
        FreeParameterSyntax => "parameter",
        OutputSyntax => "output",
        OutSyntax => "out",
        LossSyntax => "loss",
        SharedSyntax => "shared",
        _ => "",
    };

    internal void Visit(ExpressionSyntax expression, Level level, Role role)
    {
        switch (expression)
        {
            case NameExpression name:
                Resolve(name, level, role);
                break;
            case InExpression when !level.InBlock:
                Error("CNN2012", expression.Span, "'in' is the input of a block, and this is outside of blocks; use the name of an input");
                break;
            case InExpression:
                level.UseInput();
                break;
            case ClassSyntax:
                Error("CNN2018", expression.Span, "'class' stands only at the start of the shape of a target: 'target label: class', 'target mask: [class, 128, 128]'");
                break;
            case ListExpression list:
                VisitAll(list.Items, level);
                break;
            case ComprehensionExpression comprehension:
                Visit(comprehension.Source, level, Role.Value);
                var inner = new Level(level);
                Open(comprehension.Span, inner);
                foreach (var name in comprehension.Names)
                {
                    Declare(inner, name);
                }

                Visit(comprehension.Item, inner, Role.Value);
                break;
            case RangeExpression range:
                VisitAll([range.From, range.To], level);
                break;
            case CallExpression call:
                VisitCall(call, level);
                break;
            case MemberExpression member:
                Visit(member.Target, level, Role.Value);
                break;
            case IndexExpression index:
                VisitAll([index.Target, index.Index], level);
                break;
            case UnaryExpression unary:
                Visit(unary.Operand, level, Role.Value);
                break;
            case BinaryExpression binary:
                VisitAll([binary.Left, binary.Right], level);
                break;
            case FlowExpression flow:
                Visit(flow.First, level, Role.Value);
                foreach (var stage in flow.Stages)
                {
                    Visit(stage, level, Role.Stage);
                }

                break;
            case LabelExpression label:
                Visit(label.Value, level, role);
                if (label.Number is not null)
                {
                    Visit(label.Number, level, Role.Value);
                }

                break;
            case ParenthesizedExpression parenthesized:
                Visit(parenthesized.Inner, level, role);
                break;
            case IfExpression condition:
                VisitAll([condition.Condition, condition.Then, condition.Else], level);
                break;
        }
    }

    private void VisitAll(IEnumerable<ExpressionSyntax> expressions, Level level)
    {
        foreach (var expression in expressions)
        {
            Visit(expression, level, Role.Value);
        }
    }

    private void VisitCall(CallExpression call, Level level)
    {
        Visit(call.Callee, level, Role.Stage);
        recorder?.Call(call);
        var signature = call.Callee is NameExpression { Name: var name } && !level.Has(name) ? Vocabulary.Operator(name)?.Signature : null;
        foreach (var argument in call.Arguments)
        {
            // The words of an argument are the operator's own. By position, which argument it is turns out later.
            var spec = signature?.Arguments.FirstOrDefault(candidate => candidate.Name == argument.Name?.Text);
            if (argument is { Name: null, Value: NameExpression bare } && signature?.Arguments.Any(a => a.Kind is ArgumentKind.Word or ArgumentKind.Padding && ArgumentKinds.Words(a).Contains(bare.Name)) == true)
            {
                Use(bare, level);
            }
            else if (argument.Value is NameExpression word && spec is { Kind: ArgumentKind.Word or ArgumentKind.Padding or ArgumentKind.Initializer })
            {
                if (!Use(word, level) && !ArgumentKinds.Words(spec).Contains(word.Name) && !unit.Incomplete)
                {
                    Error("CNN2020", word.Span, ArgumentKinds.UnknownWord(spec, word.Name));
                }
            }
            else
            {
                Visit(argument.Value, level, Role.Value);
            }
        }
    }

    private void Resolve(NameExpression name, Level level, Role role)
    {
        if (Use(name, level) || Vocabulary.Knows(name.Name) || unit.Incomplete || reporter.Full)
        {
            return;
        }

        var nearest = Suggestions.Nearest(name.Name, level.All.Concat(Vocabulary.All));
        var isBlock = char.IsUpper((nearest ?? name.Name)[0]);
        var hint = name.Name == "range" ? "; a range is written '0..3'" : nearest is not null ? $"; did you mean '{nearest}'?" : isBlock && role == Role.Stage ? "; a block of another file needs its 'use \"file.cnn\"'" : "";
        Error("CNN2001", name.Span, $"unknown {(role == Role.Value ? "name" : isBlock ? "block" : "operator")} '{name.Name}'{hint}");
    }

    private void DeclareFile()
    {
        foreach (var used in unit.Uses)
        {
            foreach (var (name, declaration) in used.Names)
            {
                var place = new SourceSpan(used.Source, name.Span);
                if (!top.Names.TryGetValue(name.Text, out var other))
                {
                    top.Names.Add(name.Text, place);
                }
                else if (!other.Equals(place) && files.UseIn(unit, used) is { } use)
                {
                    Error("CNN2027", use, $"'{name.Text}' is defined both in '{other.File.Path}' and in '{used.Source.Path}', which this file uses; rename one",
                        new DiagnosticNote(other, "the one"), new DiagnosticNote(place, "the other"));
                }
            }
        }

        foreach (var (name, declaration) in unit.Names)
        {
            Declare(top, name);
            if (declaration is NetworkSyntax or DerivedNetworkSyntax && ClassNames.Problem(name.Text) is { } problem)
            {
                Error("CNN2037", name.Span, problem);
            }

            if (Vocabulary.Operator(name.Text) is null)
            {
                continue;
            }

            if (declaration is BlockSyntax or NetworkSyntax or DerivedNetworkSyntax)
            {
                Error("CNN2035", name.Span, $"'{name.Text}' is an operator of the language; give the {(declaration is BlockSyntax ? "block" : "network")} another name, such as '{char.ToUpperInvariant(name.Text[0]) + name.Text.Substring(1)}'");
            }
        }
    }
}
