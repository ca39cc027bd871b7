// The two ends of cross entropy: picking the target class's value, and spreading a value into its class.
using System.Collections.Immutable;
using ModelCompiler.Emission;
using ModelCompiler.Graph;

namespace ModelCompiler.Kernels;

/// <summary>Operands x (Flat, classes x positions), classes (int, positions), y (Flat, positions).
/// y[p] = x[classes[p], p]; 0 where the class is out of range.</summary>
/// <param name="Shape">Of x: classes first, then the positions, if any.</param>
public sealed record GatherClassKernel(Shape Shape) : Kernel
{
    public override string Name => "GatherClass";

    public override string Comment => "y[p] = x[classes[p], p]";

    public override ImmutableArray<Operand> Operands => [new("x"), new("classes", "int*"), new("y")];

    public override ImmutableArray<KernelNumber> Numbers => ClassPositions.Numbers(Shape);

    public override int Units => ClassPositions.Units(Shape);

    public override void Emit(KernelWriter writer, Isa isa) => writer.OpenMethod()
        .Open(ClassPositions.Loop).Line("var number = classes[p];").Line("y[p] = (uint)number < classCount ? x[number * positions + p] : 0f;").Close().Close();
}

/// <summary>Operands x (Flat, positions), classes (int, positions), y (Flat, classes x positions).
/// y[classes[p], p] = x[p], all other elements 0; a class out of range leaves only zeros.</summary>
/// <param name="Shape">Of y: classes first, then the positions, if any.</param>
public sealed record ScatterClassKernel(Shape Shape) : Kernel
{
    /// <summary>A single position is cleared at once.</summary>
    public override string Name => ClassPositions.Count(Shape) == 1 ? "ScatterOneClass" : "ScatterClass";

    public override string Comment => "y[classes[p], p] = x[p], 0 elsewhere";

    public override ImmutableArray<Operand> Operands => [new("x"), new("classes", "int*"), new("y")];

    public override ImmutableArray<KernelNumber> Numbers => ClassPositions.Numbers(Shape);

    public override int Units => ClassPositions.Units(Shape);

    public override void Emit(KernelWriter writer, Isa isa)
    {
        writer.OpenMethod();
        if (ClassPositions.Count(Shape) == 1)
        {
            writer.Line("new Span<float>(y, classCount).Clear();");
        }
        else
        {
            writer.Line($"var from = begin * {ClassPositions.PerUnit};").Line($"var to = Math.Min(end * {ClassPositions.PerUnit}, positions);")
                .Open("for (var number = 0; number < classCount; number++)").Line("new Span<float>(y + number * positions + from, to - from).Clear();").Close();
        }

        writer.Open(ClassPositions.Loop).Line("var number = classes[p];")
            .Open("if ((uint)number < classCount)").Line("y[number * positions + p] = x[p];").Close().Close().Close();
    }
}

internal static class ClassPositions
{
    /// <summary>Positions in a unit of work.</summary>
    public const int PerUnit = 4096;

    public static int Count(Shape shape) => checked((int)(shape.Count / shape[0]));

    public static int Units(Shape shape) => (Count(shape) + PerUnit - 1) / PerUnit;

    public static ImmutableArray<KernelNumber> Numbers(Shape shape) => [new("classCount", shape[0]), new("positions", Count(shape))];

    public static readonly string Loop = $"for (var p = begin * {PerUnit}; p < Math.Min(end * {PerUnit}, positions); p++)";
}
