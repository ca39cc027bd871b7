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
    public override string Name => "TopPlaces";

    public override string Comment => "y = places of the largest elements of x along an axis";

    public override KernelScope Scope => WorkScope;

    public override ImmutableArray<Operand> Operands => [new("x"), new("y")];

    public override int Units => AxisSizes.Of(Shape, Axis).Outer;

    public override ImmutableArray<KernelNumber> Numbers
    {
        get
        {
            var sizes = AxisSizes.Of(Shape, Axis);
            return [new("choices", sizes.Size), new("count", Count), new("step", sizes.Inner), new("xUnit", sizes.Block), new("yUnit", checked(Count * sizes.Inner))];
        }
    }

    public override void Emit(KernelWriter writer, Isa isa)
    {
        // What leads so far stands in y itself: no count of places is too large for it.
        static string Beats(string other) => $"(value > {other} || (float.IsNaN(value) && !float.IsNaN({other})))";
        const string Last = "from[(int)to[(count - 1) * step] * step]", Before = "from[(int)to[(at - 1) * step] * step]";
        writer.OpenMethod();
        writer.OpenUnits();
        writer.Open("for (var i = 0; i < step; i++)");
        writer.Line("var from = x + unit * xUnit + i;").Line("var to = y + unit * yUnit + i;").Line("var filled = 0;");
        writer.Open("for (var place = 0; place < choices; place++)").Line("var value = from[place * step];");
        writer.Open($"if (filled == count && !{Beats(Last)})").Line("continue;").Close();
        writer.Line("var at = filled < count ? filled++ : count - 1;");
        writer.Open($"for (; at > 0 && {Beats(Before)}; at--)").Line("to[at * step] = to[(at - 1) * step];").Close();
        writer.Line("to[at * step] = place;").Close();
        writer.Close().Close().Close();
    }
}
