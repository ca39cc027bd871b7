// Where the largest elements along an axis are. One pass keeps the best few in order; a new element moves up past all
// that it beats, so that of equals the first stays first.
using System.Collections.Immutable;
using ModelCompiler.Emission;
using ModelCompiler.Graph;

namespace ModelCompiler.Kernels;

/// <summary>Operands x, y, both Flat: y holds places along the axis, the largest element's first. NaN is larger than all numbers, as in
/// PyTorch.</summary>
/// <param name="Shape">Of x.</param>
public sealed record TopPlacesKernel(Shape Shape, int Axis, int Count, KernelScope WorkScope = KernelScope.Sample) : Kernel
{
    public override string Name => $"TopPlaces_{Shape}_{Axis}_{Count}";

    public override string Comment => $"y = places of the {Count} largest of x[{Shape}] along axis {Axis}";

    public override KernelScope Scope => WorkScope;

    public override ImmutableArray<Operand> Operands => [new("x"), new("y")];

    public override int Units => AxisSizes.Of(Shape, Axis).Outer;

    public override void Emit(KernelWriter writer, Isa isa)
    {
        var sizes = AxisSizes.Of(Shape, Axis);
        string Beats(string other) => $"(value > {other} || (float.IsNaN(value) && !float.IsNaN({other})))";
        writer.OpenMethod();
        writer.Line($"var best = stackalloc float[{Count}];").Line($"var where = stackalloc int[{Count}];");
        writer.OpenUnits();
        writer.Open($"for (var i = 0; i < {sizes.Inner}; i++)");
        writer.Line($"var from = x + unit * {sizes.Block} + i;").Line($"var to = y + unit * {Count * sizes.Inner} + i;").Line("var filled = 0;");
        writer.Open($"for (var place = 0; place < {sizes.Size}; place++)").Line($"var value = from[place * {sizes.Inner}];");
        writer.Open($"if (filled == {Count} && !{Beats($"best[{Count - 1}]")})").Line("continue;").Close();
        writer.Line($"var at = filled < {Count} ? filled++ : {Count - 1};");
        writer.Open($"for (; at > 0 && {Beats("best[at - 1]")}; at--)").Line("best[at] = best[at - 1];").Line("where[at] = where[at - 1];").Close();
        writer.Line("best[at] = value;").Line("where[at] = place;").Close();
        writer.Open($"for (var k = 0; k < {Count}; k++)").Line($"to[k * {sizes.Inner}] = where[k];").Close();
        writer.Close().Close().Close();
    }
}
