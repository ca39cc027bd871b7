// Blocks of weights there and back, whole and in part, and nothing beside them touched.
using ModelCompiler.Runtime;

namespace ModelCompiler.Tests.Kernels;

public unsafe class TranspositionTests
{
    private const float Untouched = -99.5f;

    [Fact]
    [OnEveryHardware]
    public void RowsBecomeLanesAndLanesRows()
    {
        foreach (var (rows, columns) in from r in new[] { 1, 3, 8, 15, 16 } from c in new[] { 1, 7, 9, 16 } select (r, c))
        {
            var (flat, blocks, back) = (new float[16 * 21], new float[17 * 16], new float[16 * 21]);
            for (var i = 0; i < flat.Length; i++)
            {
                flat[i] = i + 1;
            }

            Array.Fill(blocks, Untouched);
            Array.Fill(back, Untouched);
            fixed (float* from = flat, to = blocks, home = back)
            {
                Transposition.Turn(from, 21, rows, columns, to);
                Transposition.Return(to, columns, rows, home, 21);
            }

            for (var i = 0; i < blocks.Length; i++)
            {
                var (column, lane) = (i / 16, i % 16);
                Assert.Equal(column >= columns ? Untouched : lane < rows ? flat[(lane * 21) + column] : 0, blocks[i]);
            }

            for (var i = 0; i < back.Length; i++)
            {
                Assert.Equal(i / 21 < rows && i % 21 < columns ? flat[i] : Untouched, back[i]);
            }
        }
    }

    [Fact]
    [OnEveryHardware]
    public void TheLastRowFillsTheLanesBehindIt()
    {
        foreach (var (rows, columns) in from r in new[] { 1, 5, 16 } from c in new[] { 1, 9, 16 } select (r, c))
        {
            var (flat, lanes) = (Enumerable.Range(1, 16 * 21).Select(i => (float)i).ToArray(), new float[17 * 16]);
            Array.Fill(lanes, Untouched);
            fixed (float* from = flat, to = lanes)
            {
                Transposition.Repeat(from, 21, rows, columns, to);
            }

            for (var i = 0; i < lanes.Length; i++)
            {
                Assert.Equal(i / 16 < columns ? flat[(Math.Min(i % 16, rows - 1) * 21) + (i / 16)] : Untouched, lanes[i]);
            }
        }
    }
}
