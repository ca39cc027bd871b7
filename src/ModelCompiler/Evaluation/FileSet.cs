// The file being compiled and everything it uses, directly or through others: parsed once, cycles found, names known.
using System.Collections.Immutable;
using System.Globalization;
using ModelCompiler.Grammar;

namespace ModelCompiler.Evaluation;

/// <summary>A parsed file and the files it uses directly.</summary>
internal sealed class FileUnit(SourceFile source, ParseResult parsed)
{
    public SourceFile Source { get; } = source;

    public FileSyntax Syntax { get; } = parsed.File;

    public ImmutableArray<Diagnostic> SyntaxErrors { get; } = parsed.Diagnostics;

    public List<FileUnit> Uses { get; } = new();

    /// <summary>Whether names may be missing because text was lost to a mistake reported already.</summary>
    public bool Incomplete { get; set; }

    public IEnumerable<(NameSyntax Name, DeclarationSyntax Declaration)> Names => Syntax.Declarations.SelectMany(declaration => declaration switch
    {
        BlockSyntax block => [(block.Name, declaration)],
        NetworkSyntax network => [(network.Name, declaration)],
        DerivedNetworkSyntax derived => [(derived.Name, declaration)],
        TopLevelSyntax { Statement: BindingSyntax binding } => binding.Names.Select(name => (name, declaration)),
        TopLevelSyntax { Statement: SharedSyntax shared } => [(shared.Name, declaration)],
        _ => Enumerable.Empty<(NameSyntax, DeclarationSyntax)>(),
    });

    /// <summary>Whether a mistake of syntax lies in the declaration, so that what follows from it stays silent.</summary>
    public bool IsDamaged(SyntaxNode declaration) => SyntaxErrors.Any(error =>
        error.Severity == Severity.Error && error.Place.Span.Start >= declaration.Span.Start && error.Place.Span.Start <= declaration.Span.End);
}

internal sealed class FileSet
{
    private const int MaximumFiles = 500;
    private const int MaximumChain = 50;
    private readonly Dictionary<string, FileUnit> units = new(StringComparer.Ordinal);
    private readonly ImportResolver resolver;
    private readonly Reporter reporter;

    public FileSet(SourceFile file, ImportResolver resolver, Reporter reporter)
    {
        this.resolver = resolver;
        this.reporter = reporter;
        Main = new FileUnit(file, CnnParser.Parse(file));
        units.Add(file.Path, Main);
        Main.Incomplete = Main.SyntaxErrors.Any(error => error.Severity == Severity.Error
            && !Main.Syntax.Declarations.Any(declaration => declaration.Span.Start <= error.Place.Span.Start && error.Place.Span.Start <= declaration.Span.End));
        Load(Main, [file.Path], null);
    }

    public FileUnit Main { get; }

    public FileUnit Unit(SourceFile file) => units[file.Path];

    /// <summary>Every file but the main one.</summary>
    public IEnumerable<FileUnit> Imported => units.Values.Where(unit => unit != Main);

    public bool IsNetwork(SourceFile file, string name) => FindNetwork(file, name) is not null;

    /// <summary>A network or derived network by name, as the file sees it.</summary>
    public (DeclarationSyntax Declaration, SourceFile File)? FindNetwork(SourceFile file, string name)
    {
        foreach (var unit in new[] { Unit(file) }.Concat(Unit(file).Uses))
        {
            var found = unit.Syntax.Declarations.FirstOrDefault(declaration =>
                (declaration as NetworkSyntax)?.Name.Text == name || (declaration as DerivedNetworkSyntax)?.Name.Text == name);
            if (found is not null)
            {
                return (found, unit.Source);
            }
        }

        return null;
    }

    /// <summary>The main file's 'use' that leads to a file; null when it was reached in no way that could be said.</summary>
    public SourceSpan? UseOf(FileUnit unit)
    {
        var reached = Main.Uses.FirstOrDefault(used => Reaches(used, unit, new HashSet<FileUnit>()));
        return reached is not null && UseIn(Main, reached) is { } span ? new SourceSpan(Main.Source, span) : null;
    }

    /// <summary>The path in the 'use' of a file by which it uses another.</summary>
    public TextSpan? UseIn(FileUnit unit, FileUnit used) => unit.Syntax.Declarations.OfType<UseSyntax>()
        .Where(use => resolver(unit.Source.Path, use.Path)?.Path == used.Source.Path)
        .Select(use => (TextSpan?)use.PathSpan)
        .FirstOrDefault();

    private static bool Reaches(FileUnit from, FileUnit to, HashSet<FileUnit> seen) =>
        from == to || (seen.Add(from) && from.Uses.Any(used => Reaches(used, to, seen)));

    /// <param name="blame">The main file's `use` that led here; null in the main file.</param>
    private void Load(FileUnit unit, ImmutableList<string> chain, SourceSpan? blame)
    {
        foreach (var use in unit.Syntax.Declarations.OfType<UseSyntax>())
        {
            var place = blame ?? new SourceSpan(unit.Source, use.PathSpan);
            if (resolver(unit.Source.Path, use.Path) is not { } source)
            {
                Report("CNN5020", place, unit == Main
                    ? $"there is no file '{use.Path}' beside this one; paths are relative to the file that uses them, with '/' between folders"
                    : $"'{unit.Source.Path}' uses '{use.Path}' (line {new SourceSpan(unit.Source, use.Span).Line.ToString(CultureInfo.InvariantCulture)}), and there is no such file");
                continue;
            }

            if (chain.Contains(source.Path))
            {
                var cycle = chain.SkipWhile(path => path != source.Path).Concat([source.Path]);
                Report("CNN5021", place, source.Path == unit.Source.Path && unit == Main
                    ? "the file uses itself; its own names are known without 'use'"
                    : $"files use each other in a circle: {string.Join(" -> ", cycle)}; move what they share to a file of its own");
                continue;
            }

            if (!units.TryGetValue(source.Path, out var used))
            {
                if (units.Count >= MaximumFiles || chain.Count >= MaximumChain)
                {
                    throw new BudgetException("CNN5023", place, $"this file leads to more than {MaximumFiles} files, or through more than {MaximumChain} one after another");
                }

                used = new FileUnit(source, CnnParser.Parse(source));
                units.Add(source.Path, used);
                Load(used, chain.Add(source.Path), place);
            }

            if (!unit.Uses.Contains(used))
            {
                unit.Uses.Add(used);
            }
        }

        void Report(string code, SourceSpan place, string message)
        {
            reporter.Error(code, place, message);
            Main.Incomplete = true;
        }
    }
}
