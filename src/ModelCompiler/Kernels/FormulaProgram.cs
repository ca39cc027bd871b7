// A formula as numbered steps: common subexpressions become one step, whatever tree they came in, and trees
// that share nodes by reference stay linear in size. Names, hashes and code are all made from this.
using System.Collections.Immutable;
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
    private readonly List<int> streams = new();

    public FormulaProgram(IEnumerable<Expression> formulas)
    {
        var reader = new Reader(this);
        Results = [.. formulas.Select(reader.Visit)];
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
    public string Text => field ??= string.Join(";", steps.Select(s => Symbol(s.Source) + (s.Arguments.IsEmpty ? "" : $"({string.Join(",", s.Arguments)})"))) + "->" + string.Join(",", Results);

    /// <summary>For comments: <c>max(x0 + x1, 0)</c>, cut where it grows long.</summary>
    public string Readable => field ??= string.Join(", ", Results.Select(r => Shorten(Read(r, 12))));

    /// <summary>Scalars a kernel with these formulas needs.</summary>
    public ImmutableArray<ScalarArgument> Scalars =>
        [.. UsesBatchSize ? [new BatchSizeArgument()] : Array.Empty<ScalarArgument>(), .. streams.Select((stream, i) => new RandomKeyArgument(i, stream))];

    private int StreamOf(RandomFormula random)
    {
        if (!streams.Contains(random.Stream))
        {
            streams.Add(random.Stream);
        }

        return streams.IndexOf(random.Stream);
    }

    private string Symbol(Expression expression) => expression switch
    {
        InputFormula input => "x" + Literals.Int(input.Index),
        ConstantFormula constant => Literals.Float((float)constant.Value),
        BatchSizeFormula => "batchSize",
        RandomFormula random => "random" + Literals.Int(StreamOf(random)),
        UnaryFormula unary => unary.Function.ToString(),
        BinaryFormula binary => binary.Function.ToString(),
        SelectFormula => "Select",
        _ => throw new InvalidOperationException($"No code for the formula {expression.GetType().Name}."),
    };

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

    /// <summary>Finds equal parts; needed no longer than it reads.</summary>
    private sealed class Reader(FormulaProgram program)
    {
        private readonly Dictionary<Symbols, int> known = new();
        private readonly Dictionary<Expression, int> visited = new(ReferenceComparer.Instance);

        public int Visit(Expression expression)
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

                var arguments = VisitOperands(expression);
                var key = Key(expression, arguments);
                if (!known.TryGetValue(key, out number))
                {
                    number = program.steps.Count;
                    program.steps.Add(new FormulaStep(expression, arguments));
                    known.Add(key, number);
                }

                visited.Add(expression, number);
            }

            return number;
        }

        private ImmutableArray<int> VisitOperands(Expression expression) => expression switch
        {
            UnaryFormula unary => [Visit(unary.Operand)],
            BinaryFormula binary => [Visit(binary.Left), Visit(binary.Right)],
            SelectFormula select => [Visit(select.Condition), Visit(select.Then), Visit(select.Else)],
            _ => [],
        };

        /// <summary>Equal for equal steps: what kind, which of its kind, and of what.</summary>
        private Symbols Key(Expression expression, ImmutableArray<int> arguments) => expression switch
        {
            InputFormula input => new(0, input.Index),
            ConstantFormula constant => new(1, BitConverter.DoubleToInt64Bits((float)constant.Value)),
            BatchSizeFormula => new(2, 0),
            RandomFormula random => new(3, program.StreamOf(random)),
            UnaryFormula unary => new(4, (long)unary.Function, arguments[0]),
            BinaryFormula binary => new(5, (long)binary.Function, arguments[0], arguments[1]),
            SelectFormula => new(6, 0, arguments[0], arguments[1], arguments[2]),
            _ => throw new InvalidOperationException($"No code for the formula {expression.GetType().Name}."),
        };
    }

    private readonly record struct Symbols(int Kind, long Which, int A = -1, int B = -1, int C = -1);

    private sealed class ReferenceComparer : IEqualityComparer<Expression>
    {
        public static readonly ReferenceComparer Instance = new();

        public bool Equals(Expression? a, Expression? b) => ReferenceEquals(a, b);

        public int GetHashCode(Expression expression) => RuntimeHelpers.GetHashCode(expression);
    }
}
