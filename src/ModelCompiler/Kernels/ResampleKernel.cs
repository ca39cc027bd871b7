// Resampling along one spatial axis, forwards and backwards: every element is a weighted sum over a table of places.
using System.Collections.Immutable;
using ModelCompiler.Emission;
using ModelCompiler.Operators;
using ModelCompiler.Planning;

namespace ModelCompiler.Kernels;

/// <summary>Operands x, y, both Blocked.</summary>
/// <param name="Backward">Whether x is the gradient of the resampled value, and y that of the original.</param>
public sealed record ResampleKernel(ResampleAttributes Attributes, bool Backward, Layout From, Layout To, KernelScope WorkScope = KernelScope.Sample) : Kernel
{
    /// <summary>The table is part of the code.</summary>
    public override string Name => field ??= KernelName.Of(
        "Resample", $"{Attributes.Kind}", FormattableString.Invariant($"{Attributes.From},{Attributes.To},{SpatialAxis}"), $"{Attributes.AlignCorners}", $"{Backward}");

    public override KernelScope Scope => WorkScope;

    public override string Comment =>
        $"y = x {(Backward ? "spread back" : "resampled")} along its {Axes[SpatialAxis]}s, {Attributes.Kind.ToString().ToLowerInvariant()}{(Attributes.AlignCorners ? ", corners aligned" : "")}";

    public override ImmutableArray<Operand> Operands => [new("x", Offset: From.Origin), new("y", Offset: To.Origin)];

    public override ImmutableArray<KernelNumber> Numbers =>
    [
        new("planes", To.Depth), new("rows", To.Height), new("columns", To.Width),
        new("xBlockStride", From.BlockStride), new("xPlaneStride", From.DepthStride), new("xRowStride", From.RowStride),
        new("yBlockStride", To.BlockStride), new("yPlaneStride", To.DepthStride), new("yRowStride", To.RowStride),
    ];

    /// <summary>Rows of channel blocks.</summary>
    public override int Units => checked(To.Blocks * To.Depth * To.Height);

    private static readonly string[] Axes = ["plane", "row", "column"];

    /// <summary>Which of depth, height and width is resampled: 0, 1, 2.</summary>
    private int SpatialAxis => Attributes.Axis + 3 - To.Shape.Rank;

    public override void Emit(KernelWriter writer, Isa isa)
    {
        var table = Table();
        writer.OpenMethod();
        writer.Line($"ReadOnlySpan<int> starts = [{string.Join(", ", Starts(table))}];");
        writer.Line($"ReadOnlySpan<int> places = [{string.Join(", ", table.SelectMany(taps => taps).Select(tap => tap.Place))}];");
        writer.Line($"ReadOnlySpan<float> weights = [{string.Join(", ", table.SelectMany(taps => taps).Select(tap => Literals.Float((float)tap.Weight)))}];");
        writer.OpenUnits();
        writer.Line("var row = unit % rows;").Line("var plane = unit / rows % planes;").Line("var block = unit / (rows * planes);");
        writer.Line("var to = y + block * yBlockStride + plane * yPlaneStride + row * yRowStride;");
        var strides = new[] { "xPlaneStride", "xRowStride", Literals.Int(Layout.Lanes) };
        var offsets = Enumerable.Range(0, 2).Where(axis => axis != SpatialAxis).Select(axis => $" + {Axes[axis]} * {strides[axis]}");
        writer.Line($"var from = x + block * xBlockStride{string.Concat(offsets)};");
        writer.Open("for (var column = 0; column < columns; column++)");
        writer.Line($"var place = {Axes[SpatialAxis]};");
        var along = SpatialAxis == 2 ? "from" : $"from + column * {Layout.Lanes}";
        for (var part = 0; part < isa.Parts; part++)
        {
            writer.Line($"var sum{part} = {isa.Type}.Zero;");
        }

        writer.Open("for (var tap = starts[place]; tap < starts[place + 1]; tap++)");
        writer.Line($"var source = {along} + places[tap] * {strides[SpatialAxis]};").Line($"var weight = {isa.Broadcast("weights[tap]")};");
        for (var part = 0; part < isa.Parts; part++)
        {
            writer.Line($"sum{part} = {isa.Fma("weight", isa.Load($"source + {part * isa.Width}"), $"sum{part}")};");
        }

        writer.Close();
        for (var part = 0; part < isa.Parts; part++)
        {
            writer.Line(isa.Store($"to + column * {Layout.Lanes} + {part * isa.Width}", $"sum{part}"));
        }

        writer.Close().Close().Close();
    }

    /// <summary>For each place of the output, the places of the input and their weights; a place named twice is added up.</summary>
    private (int Place, double Weight)[][] Table()
    {
        var taps = Resampling.Taps(Attributes);
        var links = taps.SelectMany((list, result) => list.Select(tap => (Result: result, Input: tap.Index, tap.Weight)));
        var byOutput = links.ToLookup(link => Backward ? link.Input : link.Result);
        return Enumerable.Range(0, Backward ? Attributes.From : Attributes.To)
            .Select(place => byOutput[place]
                .GroupBy(link => Backward ? link.Result : link.Input)
                .Select(group => (Place: group.Key, Weight: group.Sum(link => link.Weight)))
                .Where(tap => tap.Weight != 0)
                .ToArray())
            .ToArray();
    }

    private static IEnumerable<int> Starts((int Place, double Weight)[][] table)
    {
        var start = 0;
        yield return start;
        foreach (var taps in table)
        {
            start += taps.Length;
            yield return start;
        }
    }
}
