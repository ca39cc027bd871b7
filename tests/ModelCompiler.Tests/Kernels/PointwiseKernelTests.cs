// Formulas over every layout, every broadcast, odd tails, in place; every function once.
using System.Collections.Immutable;
using ModelCompiler.Graph;
using ModelCompiler.Kernels;
using ModelCompiler.Planning;
using ModelCompiler.Runtime;
using ModelCompiler.Tests.Oracle;

namespace ModelCompiler.Tests.Kernels;

public class PointwiseKernelTests
{
    private static readonly Halo One = new(0, 0, 1, 1, 1, 1);

    private static readonly Halo Uneven = new(0, 0, 0, 2, 1, 3);

    private static readonly Expression X = new InputFormula(0);

    private static readonly Expression Y = new InputFormula(1);

    private static readonly Expression Relu = new BinaryFormula(BinaryFunction.Maximum, X, 0);

    [Fact]
    public void WorksOnEveryLayout()
    {
        Shape[] shapes = [Shape.Of(1, 1, 1), Shape.Of(3, 5, 3), Shape.Of(17, 7, 7), Shape.Of(33, 1, 9), Shape.Of(40, 15, 16)];
        KernelHarness.Check(
        [
            .. from shape in shapes
               from layout in new Layout[] { new(LayoutKind.Flat, shape), new(LayoutKind.Planar, shape, One), new(LayoutKind.Blocked, shape), new(LayoutKind.Blocked, shape, Uneven) }
               select Case((X * Y) + X - 0.5, [layout, layout], layout),
            Case(Relu, [new(LayoutKind.Blocked, shapes[2], One)], new(LayoutKind.Blocked, shapes[2], Uneven)),
            Case(Relu, [new(LayoutKind.Planar, shapes[1], One)], new(LayoutKind.Flat, shapes[1])),
            Case(Relu, [new(LayoutKind.Flat, Shape.Scalar)], new(LayoutKind.Flat, Shape.Scalar)),
            Case(Relu, [new(LayoutKind.Flat, Shape.Of(2, 3, 4, 5, 3))], new(LayoutKind.Flat, Shape.Of(2, 3, 4, 5, 3))),
            Case(Relu, [new(LayoutKind.Blocked, Shape.Of(17, 3, 4, 5), new Halo(1, 1, 1, 1, 1, 1))], new(LayoutKind.Blocked, Shape.Of(17, 3, 4, 5))),
        ]);
    }

    /// <summary>Planes in parts, each through all blocks of channels, for a reader that takes turns.</summary>
    [Fact]
    [OnEveryHardware]
    public void CutsPlanesIntoParts()
    {
        Layout blocked = new(LayoutKind.Blocked, Shape.Of(40, 14, 16)), vector = new(LayoutKind.Blocked, Shape.Of(40, 1, 1)), volume = new(LayoutKind.Blocked, Shape.Of(33, 3, 8, 14)), thirds = new(LayoutKind.Flat, Shape.Of(33, 1, 1, 1));
        KernelCase Cut(Expression formula, Layout[] inputs, Layout output, int parts)
        {
            var whole = Case(formula, [.. inputs], output);
            var cut = ((PointwiseKernel)whole.Kernel).In(parts);
            Assert.NotNull(cut);
            return whole with { Kernel = cut };
        }

        KernelHarness.Check([Cut((X * Y) + X - 0.5, [blocked, vector], blocked, 8), Cut((X * Y) + new InputFormula(2), [volume, thirds, volume], volume, 16)]);
        Assert.Null(((PointwiseKernel)Case(X * Y, [blocked, vector], blocked).Kernel).In(5));
        Assert.Null(((PointwiseKernel)Case(X * Y, [new(LayoutKind.Blocked, blocked.Shape, One), vector], blocked).Kernel).In(8));
    }

    [Fact]
    [OnEveryHardware]
    public void BroadcastsInputs()
    {
        var shape = Shape.Of(33, 5, 7);
        Shape[] flat = [Shape.Scalar, Shape.Of(1, 1, 1), Shape.Of(33, 1, 1), Shape.Of(1, 5, 7), Shape.Of(1, 1, 7), Shape.Of(33, 5, 1), Shape.Of(1, 5, 1)];
        var blocked = new Layout(LayoutKind.Blocked, shape, One);
        KernelHarness.Check(
        [
            .. flat.Select(s => Case(X - Y, [new(LayoutKind.Flat, shape), new(LayoutKind.Flat, s)], new(LayoutKind.Flat, shape))),
            .. flat.Select(s => Case(X - Y, [blocked, new(LayoutKind.Blocked, s)], blocked)),
            Case(X - Y, [blocked, new(LayoutKind.Flat, Shape.Of(33, 1, 1))], blocked),
            Case(X - Y, [blocked, new(LayoutKind.Flat, Shape.Scalar)], blocked),
            Case(X - Y, [new(LayoutKind.Blocked, Shape.Of(33, 1, 1)), new(LayoutKind.Flat, Shape.Of(33, 1, 1))], new(LayoutKind.Flat, Shape.Of(33, 1, 1))),
            Case(X * Y, [new(LayoutKind.Flat, Shape.Of(6, 1)), new(LayoutKind.Flat, Shape.Of(1, 21))], new(LayoutKind.Flat, Shape.Of(6, 21))),
            Case(X * Y, [new(LayoutKind.Flat, Shape.Of(1, 2, 1, 5, 3)), new(LayoutKind.Flat, Shape.Of(4, 1, 3, 1, 3))], new(LayoutKind.Flat, Shape.Of(4, 2, 3, 5, 3))),
            Case(0.25, [], new(LayoutKind.Flat, Shape.Of(5, 6, 7))),
            Case(new RandomFormula(2), [], blocked),
            Case(X, [new(LayoutKind.Flat, Shape.Of(5, 1, 1))], new(LayoutKind.Flat, Shape.Of(5, 6, 7))),
        ]);
    }

    [Fact]
    public void SharesOperandsThatHaveNoSamples()
    {
        var layout = new Layout(LayoutKind.Blocked, Shape.Of(20, 3, 3), One);
        var bias = new Layout(LayoutKind.Blocked, Shape.Of(20, 1, 1));
        KernelHarness.Check(
            Case(X + Y, [layout, bias], layout, samples: [5, 0]),
            Case(X + Y, [bias, bias], bias, samples: [0, 0], scope: KernelScope.Once));
    }

    [Fact]
    [OnEveryHardware]
    public void EveryFunctionWorks()
    {
        var layout = new Layout(LayoutKind.Flat, Shape.Of(61));
        var positive = new UnaryFormula(UnaryFunction.Absolute, X) + 0.1;
        Expression Unary(UnaryFunction f) => new UnaryFormula(
            f, f is UnaryFunction.Log or UnaryFunction.Log1p or UnaryFunction.SquareRoot or UnaryFunction.ReciprocalSquareRoot ? positive : X);
        Expression Binary(BinaryFunction f) => new BinaryFormula(f, f == BinaryFunction.Power ? positive : X, Y);
        Expression[] others =
        [
            new SelectFormula(new BinaryFormula(BinaryFunction.Greater, X, 0.25), X, Y), new SelectFormula(X, Y, 3), new BatchSizeFormula() * X,
            new BinaryFormula(BinaryFunction.Minimum, 0.5, X), new BinaryFormula(BinaryFunction.Minimum, X, Y), X - (Y * X), (X * X) - Y, (X * Y) + (Y * Y),
            new BinaryFormula(BinaryFunction.Power, positive, -0.5), new BinaryFormula(BinaryFunction.Power, positive, 0.75), new BinaryFormula(BinaryFunction.Power, X - Y, 2), new BinaryFormula(BinaryFunction.Power, X, 3),
            new BinaryFormula(BinaryFunction.Greater, X, Y) * X + new BinaryFormula(BinaryFunction.GreaterOrEqual, Y, X), 7,
        ];
        KernelHarness.Check(
        [
            .. Enum.GetValues<UnaryFunction>().Select(f => Case(Unary(f), [layout, layout], layout)),
            .. Enum.GetValues<BinaryFunction>().Select(f => Case(Binary(f), [layout, layout], layout)),
            .. others.Select(f => Case(f, [layout, layout], layout)),
        ]);
    }

    [Fact]
    [OnEveryHardware]
    public void NaNPassesThroughMaximumAndMinimum()
    {
        var layout = new Layout(LayoutKind.Flat, Shape.Of(35));
        Expression[] formulas =
        [
            Relu, new BinaryFormula(BinaryFunction.Maximum, 0, X), new BinaryFormula(BinaryFunction.Minimum, X, 6), new BinaryFormula(BinaryFunction.Maximum, X, Y),
            new BinaryFormula(BinaryFunction.Minimum, Y, X), new UnaryFormula(UnaryFunction.Tanh, X), new UnaryFormula(UnaryFunction.Exp, X),
        ];
        KernelHarness.Check([.. formulas.Select(f => new KernelCase(
            new PointwiseKernel(f, [layout, layout], layout), 1,
            () => [TestOperand.Input(layout, 1, (_, i) => i[0] % 3 == 0 ? double.NaN : i[0] - 20), TestOperand.Input(layout, 1, 3), TestOperand.Output(layout, 1)],
            o => [new Expectation(2, (s, i) => FormulaValues.Value(f, k => o[k][s, i], _ => 0, 1))]))]);
    }

    [Fact]
    public void RandomNumbersDoNotDependOnTheLayout()
    {
        var shape = Shape.Of(19, 6, 5);
        Layout[] layouts = [new(LayoutKind.Flat, shape), new(LayoutKind.Planar, shape, One), new(LayoutKind.Blocked, shape), new(LayoutKind.Blocked, shape, One)];
        var dropout = new SelectFormula(new BinaryFormula(BinaryFunction.Greater, new RandomFormula(42), 0.3), X, 0) + new RandomFormula(3);
        KernelHarness.Check([.. layouts.Append(new Layout(LayoutKind.Flat, Shape.Of(7, 3, 2, 2, 5))).Select(l => Case(dropout, [l], l))]);
    }

    [Fact]
    public void WorksInPlace()
    {
        Layout[] layouts = [new(LayoutKind.Flat, Shape.Of(3, 13)), new(LayoutKind.Planar, Shape.Of(3, 5, 7), One), new(LayoutKind.Blocked, Shape.Of(20, 4, 4), One)];
        foreach (var layout in layouts)
        {
            var kernel = new PointwiseKernel(X * X, [layout], layout);
            var compiled = new CompiledKernels(kernel);
            foreach (var isa in Isa.All)
            {
                using var operand = TestOperand.Input(layout, 1, 5);
                var before = TestOperand.Indices(layout.Shape).Select(i => (float)operand[0, i]).ToList();
                compiled.Call(kernel, isa, [operand.Pointer(kernel.Operands[0], 0), operand.Pointer(kernel.Operands[1], 0), 0, kernel.Units]);
                Assert.Equal(before.Select(v => v * v), TestOperand.Indices(layout.Shape).Select(i => (float)operand[0, i]));
            }
        }
    }

    [Fact]
    public void BigValuesHaveUnitsForThreadsAndSmallOnesDoNot()
    {
        Assert.Equal(1, new PointwiseKernel(Relu, [new(LayoutKind.Flat, Shape.Of(1000))], new(LayoutKind.Flat, Shape.Of(1000))).Units);
        Layout[] big = [new(LayoutKind.Flat, Shape.Of(100_001)), new(LayoutKind.Blocked, Shape.Of(64, 56, 56), One), new(LayoutKind.Planar, Shape.Of(3, 224, 224), One)];
        Assert.All(big, l => Assert.InRange(new PointwiseKernel(Relu, [l], l).Units, 3, 1000));
        KernelHarness.Check(Case(Relu, [big[0]], big[0], samples: [1]));
    }

    [Fact]
    public void NamesTellKernelsApart()
    {
        var layout = new Layout(LayoutKind.Flat, Shape.Of(8));
        Assert.Equal(new PointwiseKernel(new RandomFormula(3) + X, [layout], layout).Name, new PointwiseKernel(new RandomFormula(9) + new InputFormula(0), [layout], layout).Name);
        Assert.NotEqual(new PointwiseKernel(X + 1, [layout], layout).Name, new PointwiseKernel(X + 2, [layout], layout).Name);
    }

    private static KernelCase Case(
        Expression formula, ImmutableArray<Layout> inputs, Layout output, int[]? samples = null, KernelScope scope = KernelScope.Sample)
    {
        var kernel = new PointwiseKernel(formula, inputs, output, scope);
        var batch = samples is null ? 2 : Math.Max(1, samples.Max());
        var streams = kernel.Scalars.OfType<RandomKeyArgument>().ToDictionary(k => k.Stream, k => k.Index);
        return new KernelCase(
            kernel, batch,
            () => [.. inputs.Select((l, k) => TestOperand.Input(l, samples?[k] ?? batch, k + 1, float.NaN)), TestOperand.Output(output, scope == KernelScope.Once ? 0 : batch)],
            o => [new Expectation(inputs.Length, (s, i) => FormulaValues.Value(
                formula, k => o[k][s, i], stream => RandomBits.Value(KernelHarness.Key(streams[stream], s), Axes.Index(output.Shape, i)), batch))]);
    }
}
