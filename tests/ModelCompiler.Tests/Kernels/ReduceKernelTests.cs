// Sums, means and maxima over every set of axes, in every layout, over the batch, and their accuracy.
using System.Collections.Immutable;
using ModelCompiler.Graph;
using ModelCompiler.Kernels;
using ModelCompiler.Operators;
using ModelCompiler.Planning;
using ModelCompiler.Tests.Oracle;

namespace ModelCompiler.Tests.Kernels;

public class ReduceKernelTests
{
    private static readonly Halo One = new(0, 0, 1, 1, 1, 1);

    private static readonly Halo Uneven = new(0, 0, 0, 2, 1, 3);

    private static readonly Expression X = new InputFormula(0);

    private static readonly Expression Y = new InputFormula(1);

    [Fact]
    public void ReducesEverySetOfAxes()
    {
        int[][] sets = [[0], [1], [2], [0, 1], [1, 2], [0, 2], [0, 1, 2]];
        Shape[] shapes = [Shape.Of(1, 1, 1), Shape.Of(3, 5, 3), Shape.Of(17, 7, 7), Shape.Of(33, 1, 9), Shape.Of(20, 30, 1)];
        KernelHarness.Check(
        [
            .. from shape in shapes
               from axes in sets
               from input in new Layout[] { new(LayoutKind.Flat, shape), new(LayoutKind.Planar, shape, One), new(LayoutKind.Blocked, shape), new(LayoutKind.Blocked, shape, Uneven) }
               let kind = (ReduceKind)((axes.Length + shape[0]) % 3)
               select Case(kind, [X], [input], axes, Like(input, axes)),
        ]);
    }

    [Fact]
    public void ReducesOverTheBatch()
    {
        var shape = Shape.Of(33, 4, 5);
        KernelHarness.Check(
        [
            .. from axes in new int[][] { [], [0], [1, 2], [0, 1, 2] }
               from kind in Enum.GetValues<ReduceKind>()
               from input in new Layout[] { new(LayoutKind.Flat, shape), new(LayoutKind.Blocked, shape, Uneven) }
               select Case(kind, [X], [input], axes, Like(input, axes), KernelScope.Batch),
            Case(ReduceKind.Sum, [X], [new(LayoutKind.Flat, Shape.Scalar)], [], new(LayoutKind.Flat, Shape.Scalar), KernelScope.Batch),
            Case(ReduceKind.Mean, [X], [new(LayoutKind.Flat, Shape.Of(10))], [0], new(LayoutKind.Flat, Shape.Of(1)), KernelScope.Batch),
            Case(ReduceKind.Sum, [X], [new(LayoutKind.Flat, Shape.Of(35))], [], new(LayoutKind.Flat, Shape.Of(35)), KernelScope.Batch),
        ]);
    }

    [Fact]
    [OnEveryHardware]
    public void HasSeveralResultsOfFormulasOverSharedInputs()
    {
        var x = new Layout(LayoutKind.Blocked, Shape.Of(37, 6, 5), One);
        var mean = new Layout(LayoutKind.Blocked, Shape.Of(37, 1, 1));
        var centred = X - Y;
        KernelHarness.Check(
            Case(ReduceKind.Sum, [X, X * centred, new BatchSizeFormula() * centred], [x, mean], [1, 2], mean, KernelScope.Batch, [3, 0]),
            Case(ReduceKind.Mean, [centred * centred], [x, mean], [1, 2], new(LayoutKind.Flat, Shape.Of(37, 1, 1)), KernelScope.Batch, [3, 0]),
            Case(ReduceKind.Sum, [X * Y], [x, x], [0, 1, 2], new(LayoutKind.Flat, Shape.Of(1, 1, 1))),
            Case(ReduceKind.Mean, [X + 1], [mean], [0], new(LayoutKind.Flat, Shape.Of(1, 1, 1)), KernelScope.Once, [0]));
    }

    [Fact]
    public void ReducesShapesOfOtherRanks()
    {
        Layout flat = new(LayoutKind.Flat, Shape.Of(2, 3, 4, 5, 6)), deep = new(LayoutKind.Blocked, Shape.Of(18, 3, 4, 5), new Halo(1, 1, 1, 1, 1, 1)), rows = new(LayoutKind.Flat, Shape.Of(50, 40));
        KernelHarness.Check(
        [
            .. new int[][] { [0], [4], [1, 3], [0, 2, 4], [0, 1, 2, 3, 4] }.Select(a => Case(ReduceKind.Sum, [X], [flat], a, Like(flat, a))),
            .. new int[][] { [1], [1, 2, 3], [0], [0, 3] }.Select(a => Case(ReduceKind.Mean, [X], [deep], a, Like(deep, a))),
            .. new int[][] { [0], [1], [0, 1] }.Select(a => Case(ReduceKind.Max, [X], [rows], a, Like(rows, a))),
            Case(ReduceKind.Sum, [X], [new(LayoutKind.Flat, Shape.Of(9))], [0], new(LayoutKind.Flat, Shape.Of(1))),
            Case(ReduceKind.Sum, [X], [new(LayoutKind.Flat, Shape.Scalar)], [1, 2], new(LayoutKind.Flat, Shape.Of(20, 1, 1)), over: Shape.Of(20, 3, 5)),
            Case(ReduceKind.Sum, [0.5], [], [0, 1, 2], new(LayoutKind.Flat, Shape.Of(1, 1, 1)), over: Shape.Of(20, 3, 5)),
            Case(ReduceKind.Sum, [X], [new(LayoutKind.Blocked, Shape.Of(20, 1, 1))], [1, 2], new(LayoutKind.Blocked, Shape.Of(20, 1, 1)), KernelScope.Batch, over: Shape.Of(20, 3, 5)),
            Case(ReduceKind.Sum, [X * Y], [new(LayoutKind.Flat, Shape.Of(7, 1)), new(LayoutKind.Flat, Shape.Of(1, 9))], [0], new(LayoutKind.Flat, Shape.Of(1, 9))),
        ]);
    }

    [Fact]
    [OnEveryHardware]
    public void MaximumOfNaNIsNaN()
    {
        var flat = new Layout(LayoutKind.Flat, Shape.Of(40, 37));
        KernelHarness.Check([.. new[] { 0, 1 }.Select(axis => new KernelCase(
            new ReduceKernel(ReduceKind.Max, [X], [flat], [axis], Like(flat, [axis])), 1,
            () => [TestOperand.Input(flat, 1, (_, i) => i[0] == 11 && i[1] == 13 ? double.NaN : -i[0] - i[1]), TestOperand.Output(Like(flat, [axis]), 1)],
            _ => [new Expectation(1, (_, i) => axis == 0 ? (i[1] == 13 ? double.NaN : -i[1]) : i[0] == 11 ? double.NaN : -i[0])]))]);
    }

    [Fact]
    public void LongSumsStayAccurate()
    {
        // A chain of additions in float would be off by about 1e-4 here.
        Layout run = new(LayoutKind.Flat, Shape.Of(1_000_000)), image = new(LayoutKind.Blocked, Shape.Of(16, 250, 250)), rows = new(LayoutKind.Flat, Shape.Of(60_000, 16));
        (Layout In, int[] Axes)[] cases = [(run, [0]), (image, [1, 2]), (rows, [0])];
        foreach (var (input, axes) in cases)
        {
            var output = Like(input, axes);
            var kernel = new ReduceKernel(ReduceKind.Mean, [X], [input], [.. axes], output);
            var compiled = new CompiledKernels(kernel);
            using var x = TestOperand.Input(input, 1, (_, i) => 1 + (0.37 * TestOperand.Number(3, 0, i)));
            var exact = new Dictionary<string, (double Sum, int Count)>();
            foreach (var index in TestOperand.Indices(input.Shape))
            {
                var key = string.Join(",", index.Select((n, axis) => axes.Contains(axis) ? 0 : n));
                var (sum, count) = exact.GetValueOrDefault(key);
                exact[key] = (sum + x[0, index], count + 1);
            }

            foreach (var isa in Isa.All)
            {
                using var y = TestOperand.Output(output, 1);
                compiled.Call(kernel, isa, [x.Pointer(kernel.Operands[0], 0), y.Pointer(kernel.Operands[1], 0), 0, kernel.Units]);
                foreach (var index in TestOperand.Indices(output.Shape))
                {
                    var (sum, count) = exact[string.Join(",", index)];
                    Assert.InRange((y[0, index] / (sum / count)) - 1, -4e-7, 4e-7);
                }
            }
        }
    }

    private static Layout Like(Layout input, IEnumerable<int> axes) =>
        new(input.Kind, axes.Aggregate(input.Shape, (shape, axis) => shape.With(axis, 1)), input.Kind == LayoutKind.Flat ? Halo.None : One);

    private static KernelCase Case(
        ReduceKind kind, ImmutableArray<Expression> formulas, ImmutableArray<Layout> inputs, int[] axes, Layout output,
        KernelScope scope = KernelScope.Sample, int[]? samples = null, Shape? over = null)
    {
        var kernel = new ReduceKernel(kind, formulas, inputs, [.. axes], output, scope, over);
        var batch = samples is null ? 3 : Math.Max(1, samples.Max());
        return new KernelCase(
            kernel, batch,
            () => [.. inputs.Select((l, k) => TestOperand.Input(l, samples?[k] ?? batch, k + 1, float.NaN)), .. formulas.Select(_ => TestOperand.Output(output, scope == KernelScope.Sample ? batch : 0))],
            o => [.. formulas.Select((formula, f) => new Expectation(inputs.Length + f, Expected(kernel, formula, o, batch), 4e-6))]);
    }

    private static Func<int, int[], double> Expected(ReduceKernel kernel, Expression formula, TestOperand[] o, int batch) => (sample, index) =>
    {
        var terms =
            from s in kernel.Scope == KernelScope.Batch ? Enumerable.Range(0, batch) : [sample]
            from at in Axes.Positions(kernel.Shape.Dimensions)
            where at.Select((n, axis) => kernel.Axes.Contains(axis) || n == index[axis]).All(same => same)
            select FormulaValues.Value(formula, k => o[k][s, at], _ => 0, batch);
        return kernel.Kind switch { ReduceKind.Sum => terms.Sum(), ReduceKind.Mean => terms.Average(), _ => terms.Max() };
    };
}
