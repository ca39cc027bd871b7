// The micro-kernel of weight gradients: sums over all pixels of some samples stay in registers. With a plane of one pixel
// it is a matrix product over samples, or over whatever lies one stride apart.
using ModelCompiler.Emission;

namespace ModelCompiler.Kernels;

/// <summary>Writes the helper <c>suffix(x, xStride, g, gStride, samples, dw, add)</c>, which adds to what dw holds or replaces it.</summary>
/// <param name="byRows">Whether it sums some rows only; their number follows that of the samples.</param>
/// <param name="asks">For how many lines of g, and one of x if for any, it asks at each pixel; their offsets from g and x are its last arguments.</param>
internal sealed class WeightGradientMicro(WeightGradientGeometry geometry, WeightGradientTile tile, bool byRows = false, int asks = 0)
{
    private static string N(long value) => Literals.Int(value);

    public void Emit(KernelWriter writer, Isa isa, string suffix)
    {
        var plane = geometry.Plane;
        writer.OpenHelper(suffix, "float* x, long xStride, float* g, long gStride, int samples, " + (byRows ? "int rowCount, " : "") + "float* dw, bool add"
            + (asks == 0 ? "" : ", long askX" + string.Concat(Enumerable.Range(0, asks).Select(i => $", long askG{N(i)}"))));
        var sums = (from c in Enumerable.Range(0, tile.Channels) from r in Enumerable.Range(0, tile.TapRows) from k in Enumerable.Range(0, tile.TapColumns)
                    from j in Enumerable.Range(0, tile.Blocks) from p in Enumerable.Range(0, isa.Parts) select (c, r, k, j, p)).ToList();
        string A(int c, int r, int k, int j, int p) => $"a{N(c)}_{N(r)}_{N(k)}_{N(j)}" + (isa.Parts > 1 ? ((char)('a' + p)).ToString() : "");
        string Address(int c, int r, int k, int j, int p) =>
            $"dw + {(j == 0 ? "" : $"{N(j)} * packedBlock + ")}{N((((r * geometry.Taps.Columns) + k) * geometry.Lanes * 16) + (c * 16) + (p * isa.Width))}";
        for (var j = 1; j < tile.Blocks; j++)
        {
            writer.Line($"long gBlock{N(j)} = {N(j)}L * gBlockStride;");
        }

        for (var r = 1; r < tile.TapRows; r++)
        {
            writer.Line($"long xRow{N(r)} = {N(r)}L * xRowTap;");
        }

        writer.Line($"{isa.Type} {string.Join(", ", sums.Select(s => $"{A(s.c, s.r, s.k, s.j, s.p)} = {isa.Type}.Zero"))};");
        writer.Open("if (add)");
        foreach (var (c, r, k, j, p) in sums)
        {
            writer.Line($"{A(c, r, k, j, p)} = {isa.Load(Address(c, r, k, j, p))};");
        }

        writer.Close();
        writer.Line($"{isa.Type} b;");
        writer.Open("for (int sample = 0; sample < samples; sample++, x += xStride, g += gStride)");
        var (x, g, opened) = ("x", "g", 0);
        foreach (var (axis, count) in new[]
        {
            ("Depth", plane.Depth), ("Row", plane.Rows), ("Column", plane.Columns),
        })
        {
            if (count == 1)
            {
                continue;
            }

            writer.Line($"float* x{axis} = {x}, g{axis} = {g};");
            (x, g) = ("x" + axis, "g" + axis);
            var index = char.ToLowerInvariant(axis[0]) + axis.Substring(1);
            writer.Open($"for (int {index} = 0; {index} < {(byRows && axis == "Row" ? "rowCount" : index + "s")}; {index}++, {x} += x{axis}Step, {g} += g{axis}Step)");
            opened++;
        }

        for (var j = 0; j < tile.Blocks; j++)
        {
            for (var p = 0; p < isa.Parts; p++)
            {
                writer.Line($"var g{N(j)}_{N(p)} = {isa.Load($"{g} + {(j == 0 ? "" : $"gBlock{N(j)} + ")}{N(p * isa.Width)}")};");
            }
        }

        if (asks > 0)
        {
            writer.Line($"Sse.Prefetch1({x} + askX); " + string.Join(" ", Enumerable.Range(0, asks).Select(i => $"Sse.Prefetch1({g} + askG{N(i)});")));
        }

        foreach (var scalar in sums.GroupBy(s => (s.c, s.r, s.k)))
        {
            var (c, r, k) = scalar.Key;
            var products = scalar.Select(s => $"{A(c, r, k, s.j, s.p)} = {isa.Fma("b", $"g{N(s.j)}_{N(s.p)}", A(c, r, k, s.j, s.p))};");
            writer.Line($"b = {isa.Broadcast($"{x}[{(r == 0 ? "" : $"xRow{N(r)} + ")}{N((c * geometry.InputLane) + (k * geometry.TapStep.Columns))}]")}; {string.Join(" ", products)}");
        }

        while (opened-- > 0)
        {
            writer.Close();
        }

        writer.Close();
        foreach (var (c, r, k, j, p) in sums)
        {
            writer.Line(isa.Store(Address(c, r, k, j, p), A(c, r, k, j, p)));
        }

        writer.Close().Line();
    }
}
