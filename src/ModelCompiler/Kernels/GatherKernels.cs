// Elements taken from places, or put there, along one axis. Where the places are is known only when the code runs, so
// these loops go one by one; a place that does not exist reads 0 and writes nothing.
using System.Collections.Immutable;
using ModelCompiler.Emission;
using ModelCompiler.Graph;

namespace ModelCompiler.Kernels;

/// <summary>The sizes before, along and behind an axis.</summary>
internal readonly record struct AxisSizes(int Outer, int Size, int Inner)
{
    public static AxisSizes Of(Shape shape, int axis) => new(
        shape.Dimensions.Take(axis).Aggregate(1, (product, size) => checked(product * size)),
        shape[axis],
        shape.Dimensions.Skip(axis + 1).Aggregate(1, (product, size) => checked(product * size)));

    /// <summary>Elements behind one step of the outer axes.</summary>
    public int Block => checked(Size * Inner);
}

/// <summary>Operands x, places, y, all Flat: y[o, k, i] = x[o, places[o, k, i], i].</summary>
/// <param name="Shape">Of x.</param>
/// <param name="Count">Of places along the axis.</param>
public sealed record GatherKernel(Shape Shape, int Axis, int Count, KernelScope WorkScope = KernelScope.Sample) : Kernel
{
    public override string Name => $"Gather_{Shape}_{Axis}_{Count}";

    public override string Comment => $"y = x[{Shape}] at {Count} places along axis {Axis}";

    public override KernelScope Scope => WorkScope;

    public override ImmutableArray<Operand> Operands => [new("x"), new("places"), new("y")];

    public override int Units => AxisSizes.Of(Shape, Axis).Outer;

    public override void Emit(KernelWriter writer, Isa isa)
    {
        var sizes = AxisSizes.Of(Shape, Axis);
        writer.OpenMethod().OpenUnits();
        writer.Line($"var from = x + unit * {sizes.Block};").Line($"var at = places + unit * {Count * sizes.Inner};").Line($"var to = y + unit * {Count * sizes.Inner};");
        PlaceLoops.Emit(writer, Count, sizes, (element, source) =>
            writer.Line($"to[{element}] = (uint)place < {sizes.Size} ? from[{source}] : 0f;"));
        writer.Close().Close();
    }
}

/// <summary>Operands values, places, y, all Flat: y[o, places[o, k, i], i] is the sum of values[o, k, i], 0 where nothing lands.</summary>
/// <param name="Shape">Of y.</param>
/// <param name="Count">Of places along the axis.</param>
public sealed record ScatterKernel(Shape Shape, int Axis, int Count, KernelScope WorkScope = KernelScope.Sample) : Kernel
{
    public override string Name => $"Scatter_{Shape}_{Axis}_{Count}";

    public override string Comment => $"y[{Shape}] = values at {Count} places along axis {Axis}, added where they meet";

    public override KernelScope Scope => WorkScope;

    public override ImmutableArray<Operand> Operands => [new("values"), new("places"), new("y")];

    public override int Units => AxisSizes.Of(Shape, Axis).Outer;

    public override void Emit(KernelWriter writer, Isa isa)
    {
        var sizes = AxisSizes.Of(Shape, Axis);
        writer.OpenMethod().OpenUnits();
        writer.Line($"var from = values + unit * {Count * sizes.Inner};").Line($"var at = places + unit * {Count * sizes.Inner};").Line($"var to = y + unit * {sizes.Block};");
        writer.Line($"new Span<float>(to, {sizes.Block}).Clear();");
        PlaceLoops.Emit(writer, Count, sizes, (element, target) =>
            writer.Open($"if ((uint)place < {sizes.Size})").Line($"to[{target}] += from[{element}];").Close());
        writer.Close().Close();
    }
}

internal static class PlaceLoops
{
    /// <summary>Over every place: <paramref name="body"/> gets the number of the place and that of the element it names.</summary>
    public static void Emit(SourceWriter writer, int count, AxisSizes sizes, Action<string, string> body)
    {
        writer.Open($"for (var k = 0; k < {count}; k++)");
        if (sizes.Inner == 1)
        {
            writer.Line("var place = (int)at[k];");
            body("k", "place");
        }
        else
        {
            writer.Open($"for (var i = 0; i < {sizes.Inner}; i++)").Line($"var place = (int)at[k * {sizes.Inner} + i];");
            body($"k * {sizes.Inner} + i", $"place * {sizes.Inner} + i");
            writer.Close();
        }

        writer.Close();
    }
}
