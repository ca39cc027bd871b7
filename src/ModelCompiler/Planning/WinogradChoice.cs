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

    /// <summary>Transformed filters of more floats, 6 MB, are taken to come from memory in every run.</summary>
    private const int ManyFloats = 1500 * 1000;

    /// <summary>So many, 96 MB, that memory counts more than a third of the layer's time.</summary>
    private const int TooManyFloats = 24 * 1024 * 1024;

    /// <summary>Whether transformed filters are so many that their memory counts more than time, on every machine.</summary>
    public static bool AreTooMany(long floats) => floats > TooManyFloats;

    /// <summary>What it may cost in time, as counted, not to keep them.</summary>
    private static double MostLoss(long floats) => AreTooMany(floats) ? 1.35 : 1.15;

    /// <summary>Whether the filters of an inference are better transformed in every run, where memory is slow (which <see cref="Step.WithoutKeptFilters"/> leaves to the machine): where they are many and serve few tiles, the transformed ones, 16 or 36
    /// numbers for nine, take up to four times the memory, and longer to arrive than the others to be transformed. Where they serve very few, transforming would be most of
    /// the work, and a cache may hold them between runs.</summary>
    /// <param name="columns">Tiles that one filter serves.</param>
    /// <param name="floats">Of all transformed filters.</param>
    /// <param name="inputFloats">Of all transformed inputs. Where they are as many, they would not stay near while filters pass by.</param>
    public static bool TransformsLate(int outputs, int columns, long floats, long inputFloats)
    {
        // Cycles for one input, tap along depth and block of outputs: sixteen filters are 576 bytes, and their transformed form is written and read in the
        // second-level cache. Memory delivers 4 to 8 bytes in a cycle, less than what the choice of the algorithm counts with.
        const double perCycle = 7;
        var points = (outputs + 2) * (outputs + 2);
        var (products, kept, flat, transform) = (points * columns / 2.0, points * 64 / perCycle, 9 * 64 / perCycle, outputs == 2 ? 36 : 100);
        return floats > ManyFloats && floats > 2 * inputFloats && (AreTooMany(floats) || products > 2 * transform)
            && Math.Max(products + (flat / 4) + transform, flat) < MostLoss(floats) * Math.Max(products + (kept / 4), kept);
    }

    /// <param name="samples">Samples that are computed together and so share what weights cost.</param>
    /// <param name="packed">Whether weights are transformed for each batch.</param>
    /// <param name="dilation">Of the taps along rows and columns.</param>
    /// <returns>0 for direct convolution, 2 or 4 for tiles of that many outputs along each axis.</returns>
    public static int Outputs(ConvolutionGeometry direct, int samples = 1, bool packed = false, int dilation = 1)
    {
        if (!HasChannels(direct))
        {
            return 0;
        }

        var best = 0;
        var bestCycles = DirectCycles(direct) * samples / LeastGain;
        foreach (var outputs in new[] { 2, 4 })
        {
            var cycles = Cycles(direct, outputs, samples, dilation) + (packed ? (double)direct.InputChannels * direct.Taps.Depth * direct.OutputBlocks * FilterCycles(outputs) : 0);
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

    private static double Cycles(ConvolutionGeometry direct, int outputs, int samples, int dilation)
    {
        double Along(int size) => (double)dilation * WinogradKernel.TilesAlong(size, outputs, dilation);
        var tiles = samples * Along(direct.Plane.Rows) * Along(direct.Plane.Columns);
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
