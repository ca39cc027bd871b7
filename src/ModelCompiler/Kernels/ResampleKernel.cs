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
    public override string Name => KernelName.Of("Resample", $"{From.Tag}_{To.Tag}", $"{Attributes}", $"{Backward}", $"{WorkScope}");

    public override KernelScope Scope => WorkScope;

    public override string Comment =>
        $"y[{To.Tag}] = x[{From.Tag}] {(Backward ? "spread back" : "resampled")} along axis {Attributes.Axis}, {Attributes.Kind.ToString().ToLowerInvariant()}{(Attributes.AlignCorners ? ", corners aligned" : "")}";

    public override ImmutableArray<Operand> Operands => [new("x"), new("y")];

    /// <summary>Rows of channel blocks.</summary>
    public override int Units => checked(To.Blocks * To.Depth * To.Height);

    /// <summary>Which of depth, height and width is resampled: 0, 1, 2.</summary>
    private int SpatialAxis => Attributes.Axis + 3 - To.Shape.Rank;

    public override void Emit(SourceWriter writer, Isa isa)
    {
        var table = Table();
        writer.OpenMethod(this);
        writer.Line($"ReadOnlySpan<int> starts = [{string.Join(", ", Starts(table))}];");
        writer.Line($"ReadOnlySpan<int> places = [{string.Join(", ", table.SelectMany(taps => taps).Select(tap => tap.Place))}];");
        writer.Line($"ReadOnlySpan<float> weights = [{string.Join(", ", table.SelectMany(taps => taps).Select(tap => Literals.Float((float)tap.Weight)))}];");
        writer.Skip("x", From.Origin);
        writer.Skip("y", To.Origin);
        writer.OpenUnits();
        writer.Line($"var height = unit % {To.Height};").Line($"var depth = unit / {To.Height} % {To.Depth};").Line($"var block = unit / {To.Height * To.Depth};");
        writer.Line($"var to = y + block * {To.BlockStride} + depth * {To.DepthStride} + height * {To.RowStride};");
        var kept = new[] { ("depth", From.DepthStride), ("height", From.RowStride), ("width", From.ColumnStride) };
        var strideAlong = kept[SpatialAxis].Item2;
        var offsets = kept.Take(2).Where((_, axis) => axis != SpatialAxis).Select(part => $" + {part.Item1} * {part.Item2}");
        writer.Line($"var from = x + block * {From.BlockStride}{string.Concat(offsets)};");
        writer.Open($"for (var width = 0; width < {To.Width}; width++)");
        writer.Line($"var place = {kept[SpatialAxis].Item1};");
        var along = SpatialAxis == 2 ? "from" : $"from + width * {From.ColumnStride}";
        for (var part = 0; part < isa.Parts; part++)
        {
            writer.Line($"var sum{part} = {isa.Type}.Zero;");
        }

        writer.Open("for (var tap = starts[place]; tap < starts[place + 1]; tap++)");
        writer.Line($"var source = {along} + places[tap] * {strideAlong};").Line($"var weight = {isa.Broadcast("weights[tap]")};");
        for (var part = 0; part < isa.Parts; part++)
        {
            writer.Line($"sum{part} = {isa.Fma("weight", isa.Load($"source + {part * isa.Width}"), $"sum{part}")};");
        }

        writer.Close();
        for (var part = 0; part < isa.Parts; part++)
        {
            writer.Line(isa.Store($"to + width * {To.ColumnStride} + {part * isa.Width}", $"sum{part}"));
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
