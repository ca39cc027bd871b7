// The micro-kernel of weight gradients: sums over all pixels of some samples stay in registers. With a plane of one pixel
// it is a matrix product over samples, or over whatever lies one stride apart.
using ModelCompiler.Emission;

namespace ModelCompiler.Kernels;

/// <summary>Writes <c>name(x, xStride, g, gStride, samples, dw, add)</c>, which adds to what dw holds or replaces it.</summary>
internal sealed class WeightGradientMicro(WeightGradientGeometry geometry, WeightGradientTile tile)
{
    private static string N(long value) => Literals.Int(value);

    public void Emit(SourceWriter writer, Isa isa, string name)
    {
        var plane = geometry.Plane;
        writer.Line(Kernel.Attribute).Open($"private static void {name}(float* x, long xStride, float* g, long gStride, int samples, float* dw, bool add)");
        var sums = (from c in Enumerable.Range(0, tile.Channels) from r in Enumerable.Range(0, tile.TapRows) from k in Enumerable.Range(0, tile.TapColumns)
                    from j in Enumerable.Range(0, tile.Blocks) from p in Enumerable.Range(0, isa.Parts) select (c, r, k, j, p)).ToList();
        string A(int c, int r, int k, int j, int p) => $"a{N(c)}_{N(r)}_{N(k)}_{N(j)}" + (isa.Parts > 1 ? ((char)('a' + p)).ToString() : "");
        string Address(int c, int r, int k, int j, int p) =>
            $"dw + {N(((long)j * geometry.PackedBlock) + (((r * geometry.Taps.Columns) + k) * geometry.Lanes * 16) + (c * 16) + (p * isa.Width))}";
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
        foreach (var (count, xStep, gStep, suffix) in new[]
        {
            (plane.Depth, geometry.InputStep.Depth, geometry.GradientStep.Depth, "d"), (plane.Rows, geometry.InputStep.Rows, geometry.GradientStep.Rows, "r"),
            (plane.Columns, geometry.InputStep.Columns, geometry.GradientStep.Columns, "c"),
        })
        {
            if (count == 1)
            {
                continue;
            }

            writer.Line($"float* x{suffix} = {x}, g{suffix} = {g};");
            (x, g) = ("x" + suffix, "g" + suffix);
            writer.Open($"for (int i{suffix} = 0; i{suffix} < {N(count)}; i{suffix}++, {x} += {N(xStep)}, {g} += {N(gStep)})");
            opened++;
        }

        for (var j = 0; j < tile.Blocks; j++)
        {
            for (var p = 0; p < isa.Parts; p++)
            {
                writer.Line($"var g{N(j)}_{N(p)} = {isa.Load($"{g} + {N(((long)j * geometry.GradientBlock) + (p * isa.Width))}")};");
            }
        }

        foreach (var scalar in sums.GroupBy(s => (s.c, s.r, s.k)))
        {
            var (c, r, k) = scalar.Key;
            var products = scalar.Select(s => $"{A(c, r, k, s.j, s.p)} = {isa.Fma("b", $"g{N(s.j)}_{N(s.p)}", A(c, r, k, s.j, s.p))};");
            writer.Line($"b = {isa.Broadcast($"{x}[{N((c * geometry.InputLane) + (r * geometry.TapStep.Rows) + (k * geometry.TapStep.Columns))}]")}; {string.Join(" ", products)}");
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
