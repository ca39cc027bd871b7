// Whether a 3x3 convolution is computed directly or by Winograd's algorithm, and with which tile: an estimate of cycles
// from what is multiplied, transformed and streamed. The figures are in docs/kernels.md.
using ModelCompiler.Kernels;

namespace ModelCompiler.Planning;

internal static class WinogradChoice
{
    /// <summary>With fewer channels than a block, transforms cost what products save.</summary>
    private const int FewestChannels = 16;

    /// <summary>Another algorithm, with a larger rounding error, must be worth it.</summary>
    private const double LeastGain = 1.1;

    /// <summary>Cycles to transform one block of a tile forth, and back, beside its products.</summary>
    private static double TransformCycles(int outputs) => outputs == 2 ? 70 : 160;

    /// <summary>Cycles to transform sixteen filters in training, where they change in every step, beyond what direct convolution packs.</summary>
    private static double FilterCycles(int outputs) => outputs == 2 ? 60 : 140;

    /// <summary>Bytes of weights that come from memory in a cycle.</summary>
    private const double BytesPerCycle = 10;

    /// <param name="samples">Samples that are computed together and so share what weights cost.</param>
    /// <param name="packed">Whether weights are transformed for each batch.</param>
    /// <returns>0 for direct convolution, 2 or 4 for tiles of that many outputs along each axis.</returns>
    public static int Outputs(ConvolutionGeometry direct, int samples = 1, bool packed = false)
    {
        if (!HasChannels(direct))
        {
            return 0;
        }

        var best = 0;
        var bestCycles = DirectCycles(direct) * samples / LeastGain;
        foreach (var outputs in new[] { 2, 4 })
        {
            var cycles = Cycles(direct, outputs, samples) + (packed ? (double)direct.InputChannels * direct.Taps.Depth * direct.OutputBlocks * FilterCycles(outputs) : 0);
            if (cycles < bestCycles)
            {
                (best, bestCycles) = (outputs, cycles);
            }
        }

        return best;
    }

    /// <summary>Whether there are channels enough on both sides.</summary>
    public static bool HasChannels(ConvolutionGeometry direct) => direct.InputChannels >= FewestChannels && direct.OutputChannels >= FewestChannels;

    private static double DirectCycles(ConvolutionGeometry direct) =>
        ProductCycles(direct, (double)direct.Plane.Depth * direct.Plane.Rows * direct.Plane.Columns, direct.TapCount);

    private static double Cycles(ConvolutionGeometry direct, int outputs, int samples)
    {
        var tiles = samples * Math.Ceiling(direct.Plane.Rows / (double)outputs) * Math.Ceiling(direct.Plane.Columns / (double)outputs);
        var (plane, taps) = (direct.Plane.Depth, direct.Taps.Depth);
        return ProductCycles(direct, tiles * plane, (outputs + 2) * (outputs + 2) * taps)
            + (tiles * ((direct.InputBlocks * (plane + taps - 1)) + (direct.OutputBlocks * plane)) * TransformCycles(outputs));
    }

    /// <summary>Two multiply-adds of a vector in a cycle; weights are prefetched meanwhile, but not for nothing.</summary>
    /// <param name="columns">Output positions or tiles.</param>
    /// <param name="points">Taps or points.</param>
    private static double ProductCycles(ConvolutionGeometry direct, double columns, int points)
    {
        var vectors = (double)points * direct.InputChannels * direct.OutputBlocks;
        var weights = vectors * 64 / BytesPerCycle;
        return Math.Max((columns * vectors / 2) + (weights / 4), weights);
    }
}
