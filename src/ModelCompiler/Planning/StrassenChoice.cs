// Whether a product of matrices is computed directly or by Strassen's algorithm: an estimate of cycles from what is
// multiplied, added and streamed. The figures are in docs/kernels.md.
using ModelCompiler.Kernels;

namespace ModelCompiler.Planning;

internal static class StrassenChoice
{
    /// <summary>Another algorithm, with a larger rounding error, must be worth it.</summary>
    private const double LeastGain = 1.04;

    /// <summary>Cycles that a layer must gain at least: code takes time to compile, and smaller gains are below what the estimate knows.</summary>
    private const double FewestCycles = 80_000;

    /// <summary>Cycles to make the left factors from sixteen inputs: sums alone, or copies of the quarters too.</summary>
    private const double SumCycles = 5;
    private const double CopyCycles = 7;

    /// <summary>Left factors of more bytes leave the second-level cache before products read them: cycles for sixteen inputs.</summary>
    private const double NearBytes = 900 * 1024;
    private const double FarCycles = 6;

    /// <summary>Cycles to complete sixteen outputs: by the products themselves, or in passes of their own.</summary>
    private const double OutputCycles = 4;
    private const double PassCycles = 10;

    /// <summary>Cycles that a vector of weights costs each time a tile reads it: from the first-level cache nothing, from the second one some.</summary>
    private static double ReadCycles(double bytes) => bytes > 96 * 1024 ? 0.8 : bytes > 24 * 1024 ? 0.4 : 0;

    /// <summary>Bytes of weights that come from memory in a cycle, and the part of their time that products do not hide.</summary>
    private const double BytesPerCycle = 8;
    private const double Exposed = 0.5;

    public static bool IsWorthIt(ConvolutionGeometry direct)
    {
        var cycles = Cycles(direct);
        return Math.Max(cycles * LeastGain, cycles + FewestCycles) < DirectCycles(direct);
    }

    private static double DirectCycles(ConvolutionGeometry direct) =>
        ProductCycles(direct, Tile.Choose(direct, samples: false, Isa.Avx512, int.MaxValue, ConvolutionSchedule.MostBlocks(direct)));

    private static double Cycles(ConvolutionGeometry direct)
    {
        var kernel = new StrassenKernel(direct, false, null, []);
        var inputs = new StrassenInputsKernel(direct);
        var product = Strassen.Product(direct, Strassen.Half(direct));
        var pixels = (double)direct.Plane.Rows * direct.Plane.Columns;
        var inputCycles = (Strassen.ReadsQuarters(direct) ? SumCycles : CopyCycles) + (inputs.Floats * 4.0 > NearBytes ? FarCycles : 0);
        return (Strassen.Products * ProductCycles(product, kernel.Tile))
            + (pixels * ((direct.InputChannels * inputCycles) + (direct.OutputChannels * (kernel.Completes ? OutputCycles : PassCycles))) / Layout.Lanes);
    }

    /// <summary>Two multiply-adds of a vector in a cycle, and what weights cost: once from memory, and again for each tile.</summary>
    private static double ProductCycles(ConvolutionGeometry product, Tile tile)
    {
        var weights = (double)product.InputChannels * product.OutputBlocks;
        var places = (double)Rounding.Ceiling(product.Plane.Rows, tile.Rows) * Rounding.Ceiling(product.Plane.Columns, tile.Columns);
        return weights * ((places * ((tile.Pixels / 2.0) + ReadCycles(product.InputChannels * tile.Blocks * 64.0))) + (Exposed * 64 / BytesPerCycle));
    }
}
