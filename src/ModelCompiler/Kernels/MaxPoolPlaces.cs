// The other result of a max pooling: not the maxima, but where they are.
using System.Collections.Immutable;
using ModelCompiler.Emission;
using ModelCompiler.Graph;
using ModelCompiler.Planning;

namespace ModelCompiler.Kernels;

/// <summary>Operands x, y, both Blocked: the row-major number in x's plane of every window's first maximum; with NaN that of the last.</summary>
public sealed record MaxPoolPlacesKernel(Window Window, Layout Input, Layout Output) : Kernel
{
    private PoolGeometry Geometry => field ??= new(Window, Input, Output, unrolled: 16);

    private PoolOperand X => new("x", Input, true);

    private PoolOperand Y => new("y", Output, false);

    /// <summary>The numbers of places are part of the code.</summary>
    public override string Name => field ??= KernelName.Of("MaxPoolPlaces", Geometry.Structure, Input.Tag, Output.Tag, WindowText.Of(Window));

    public override string Comment => $"y = places of the maxima of x[{Input.Tag}] over windows of {Geometry.Comment}";

    public override string Layouts => $"{Input.Tag} -> {Output.Tag}";

    public override ImmutableArray<Operand> Operands => [X.Operand(Geometry), Y.Operand(Geometry)];

    public override ImmutableArray<KernelNumber> Numbers => Geometry.Numbers(X, Y);

    public override int Units => Geometry.RowUnits;

    public override void Emit(KernelWriter writer, Isa isa)
    {
        var (geometry, x, y) = (Geometry, X, Y);
        var parts = Enumerable.Range(0, isa.Parts).ToArray();

        // One channel of x without a halo: offsets in it are numbers in the plane.
        var plane = new Layout(LayoutKind.Flat, Input.Shape);
        new PoolEmitter(geometry, writer, [x, y]).EmitByRows((_, visit) =>
        {
            writer.Line($"var start = {geometry.WindowStart(plane)};");
            MaxPoolWinnersKernel.EmitSearch(writer, isa, x, visit, element => $"start + {element.Offset(plane, 0)}");
            foreach (var p in parts)
            {
                writer.Line(isa.Store($"{y.At} + {p * isa.Width}", $"winner{p}"));
            }
        });
    }
}
