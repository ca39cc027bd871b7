// A formula as numbered steps: common subexpressions become one step, whatever tree they came in, and trees
// that share nodes by reference stay linear in size. Names, hashes and code are all made from this.
using System.Collections.Immutable;
using System.Globalization;
using System.Runtime.CompilerServices;
using ModelCompiler.Emission;
using ModelCompiler.Graph;

namespace ModelCompiler.Kernels;

/// <summary>One value of a program. <paramref name="Source"/> is the expression whose operands are
/// <paramref name="Arguments"/>, numbers of earlier steps.</summary>
internal sealed record FormulaStep(Expression Source, ImmutableArray<int> Arguments);

internal sealed class FormulaProgram
{
    private readonly List<FormulaStep> steps = new();
    private readonly Dictionary<string, int> known = new(StringComparer.Ordinal);
    private readonly Dictionary<Expression, int> visited = new(ReferenceComparer.Instance);
    private readonly List<int> streams = new();

    public FormulaProgram(IEnumerable<Expression> formulas)
    {
        Results = [.. formulas.Select(Visit)];
        Text = string.Join(";", known.OrderBy(k => k.Value).Select(k => k.Key)) + "->" + string.Join(",", Results);
        Readable = string.Join(", ", Results.Select(r => Shorten(Read(r, 12))));
        Uses = new int[steps.Count];
        foreach (var argument in steps.SelectMany(s => s.Arguments).Concat(Results))
        {
            Uses[argument]++;
        }
    }

    public IReadOnlyList<FormulaStep> Steps => steps;

    /// <summary>The step that holds each formula's value.</summary>
    public ImmutableArray<int> Results { get; }

    /// <summary>How often each step's value is asked for.</summary>
    public int[] Uses { get; }

    /// <summary>Random streams in order of appearance; the i-th reads the key named <c>key{i}</c>.</summary>
    public IReadOnlyList<int> Streams => streams;

    public bool UsesBatchSize => steps.Any(s => s.Source is BatchSizeFormula);

    /// <summary>Everything that decides the code; equal for equal formulas. Streams are renumbered, so that layers share kernels.</summary>
    public string Text { get; }

    /// <summary>For comments: <c>max(x0 + x1, 0)</c>, cut where it grows long.</summary>
    public string Readable { get; }

    /// <summary>Scalars a kernel with these formulas needs.</summary>
    public ImmutableArray<ScalarArgument> Scalars =>
        [.. UsesBatchSize ? [new BatchSizeArgument()] : Array.Empty<ScalarArgument>(), .. streams.Select((stream, i) => new RandomKeyArgument(i, stream))];

    private int Visit(Expression expression)
    {
        if (!visited.TryGetValue(expression, out var number))
        {
            // Squares and cubes are products, and so take negative numbers at no cost.
            if (expression is BinaryFormula { Function: BinaryFunction.Power, Right: ConstantFormula { Value: 2 or 3 } exponent } power)
            {
                number = Visit(exponent.Value == 2 ? power.Left * power.Left : power.Left * power.Left * power.Left);
                visited.Add(expression, number);
                return number;
            }

            var arguments = Operands(expression).Select(Visit).ToImmutableArray();
            var key = Symbol(expression) + (arguments.IsEmpty ? "" : $"({string.Join(",", arguments)})");
            if (!known.TryGetValue(key, out number))
            {
                number = steps.Count;
                steps.Add(new FormulaStep(expression, arguments));
                known.Add(key, number);
            }

            visited.Add(expression, number);
        }

        return number;
    }

    private static ImmutableArray<Expression> Operands(Expression expression) => expression switch
    {
        UnaryFormula unary => [unary.Operand],
        BinaryFormula binary => [binary.Left, binary.Right],
        SelectFormula select => [select.Condition, select.Then, select.Else],
        _ => [],
    };

    private string Symbol(Expression expression)
    {
        if (expression is RandomFormula random)
        {
            if (!streams.Contains(random.Stream))
            {
                streams.Add(random.Stream);
            }

            return "random" + streams.IndexOf(random.Stream).ToString(CultureInfo.InvariantCulture);
        }

        return expression switch
        {
            InputFormula input => "x" + input.Index.ToString(CultureInfo.InvariantCulture),
            ConstantFormula constant => Literals.Float((float)constant.Value),
            BatchSizeFormula => "batchSize",
            UnaryFormula unary => unary.Function.ToString(),
            BinaryFormula binary => binary.Function.ToString(),
            SelectFormula => "Select",
            _ => throw new InvalidOperationException($"No code for the formula {expression.GetType().Name}."),
        };
    }

    private string Read(int number, int depth)
    {
        var step = steps[number];
        if (depth == 0 && !step.Arguments.IsEmpty)
        {
            return "…";
        }

        var a = step.Arguments.Select(i => Read(i, depth - 1)).ToArray();
        return step.Source switch
        {
            ConstantFormula constant => Literals.Float((float)constant.Value).TrimEnd('f'),
            UnaryFormula { Function: UnaryFunction.Negate } => $"-{a[0]}",
            BinaryFormula { Function: BinaryFunction.Add } => $"({a[0]} + {a[1]})",
            BinaryFormula { Function: BinaryFunction.Subtract } => $"({a[0]} - {a[1]})",
            BinaryFormula { Function: BinaryFunction.Multiply } => $"{a[0]} * {a[1]}",
            BinaryFormula { Function: BinaryFunction.Divide } => $"{a[0]} / ({a[1]})",
            _ when a.Length == 0 => Symbol(step.Source),
            _ => $"{Symbol(step.Source).ToLowerInvariant()}({string.Join(", ", a)})",
        };
    }

    private static string Shorten(string text) => text.Length <= 160 ? text : text.Substring(0, 157) + "…";

    private sealed class ReferenceComparer : IEqualityComparer<Expression>
    {
        public static readonly ReferenceComparer Instance = new();

        public bool Equals(Expression? a, Expression? b) => ReferenceEquals(a, b);

        public int GetHashCode(Expression expression) => RuntimeHelpers.GetHashCode(expression);
    }
}
