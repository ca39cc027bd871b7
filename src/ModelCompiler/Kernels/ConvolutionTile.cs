// Which register tile fits a convolution: the one thing about it that pays to know the shape for.
using ModelCompiler.Planning;

namespace ModelCompiler.Kernels;

/// <summary>Pixels (rows x columns) times blocks of 16 output channels held in registers.</summary>
public readonly record struct Tile(int Rows, int Columns, int Blocks)
{
    /// <summary>Weights of a tile beyond this come from the second-level cache.</summary>
    private const int FirstLevelBytes = 24 * 1024;
    private const double SecondLevelBytesPerCycle = 24;

    internal const int MostRows = 4;

    internal const int MostColumns = 28;

    public int Pixels => Rows * Columns;

    public override string ToString() => FormattableString.Invariant($"{Rows}x{Columns}x{Blocks}");

    /// <summary>The cheapest tile by a count of cycles: two multiply-adds and two loads a cycle, four cycles of latency, a
    /// fixed price per call; positions computed twice (the last tile of a row is moved back, not shortened) count.</summary>
    public static Tile Choose(ConvolutionGeometry geometry, bool samples, Isa isa, int mostRows, int mostBlocks)
    {
        var best = new Tile(1, 1, 1);
        var bestCost = double.MaxValue;
        var rows = geometry.Plane.Rows;
        var columns = samples ? 64 : geometry.Plane.Columns;
        var steps = Steps(geometry);
        for (var r = 1; r <= Math.Min(Math.Min(MostRows, mostRows), rows); r++)
        {
            // More than eight samples would need more pointers than there are registers for them.
            for (var c = 1; c <= Math.Min(columns, samples ? 8 : MostColumns); c++)
            {
                for (var b = 1; b <= Math.Min(mostBlocks, geometry.OutputBlocks); b++)
                {
                    var tile = new Tile(r, c, b);
                    if (!tile.Fits(isa))
                    {
                        continue;
                    }

                    var cost = tile.Cost(rows, columns, geometry.OutputBlocks, steps, isa);
                    if (cost < bestCost * 0.999)
                    {
                        (best, bestCost) = (tile, cost);
                    }
                }
            }
        }

        return best;
    }

    /// <summary>Cycles that a convolution in such tiles of 512-bit vectors is guessed to take.</summary>
    public double Cost(ConvolutionGeometry geometry) => Cost(geometry.Plane.Rows, geometry.Plane.Columns, geometry.OutputBlocks, Steps(geometry), Isa.Avx512);

    private static double Steps(ConvolutionGeometry geometry) => (double)Math.Min(geometry.InputChannels, geometry.BlocksRead * Layout.Lanes) * geometry.TapCount;

    private double Cost(int rows, int columns, int blocks, double steps, Isa isa)
    {
        var places = (double)Rounding.Ceiling(rows, Rows) * Rounding.Ceiling(columns, Columns);
        var rest = blocks % Blocks;
        return places * ((blocks / Blocks * Cycles(steps, isa)) + (rest == 0 ? 0 : (this with { Blocks = rest }).Cycles(steps, isa)));
    }

    /// <summary>For many samples against a group of <paramref name="blocks"/> blocks, which the tile's divide.</summary>
    public static Tile ChooseSamples(ConvolutionGeometry geometry, Isa isa, int blocks) =>
        Enumerable.Range(1, blocks).Where(b => blocks % b == 0).Select(b => Choose(geometry, samples: true, isa, 1, b))
            .Where(tile => blocks % tile.Blocks == 0).OrderByDescending(tile => tile.Pixels * tile.Blocks).ThenBy(tile => tile.Blocks).First();

    /// <summary>The tile of narrower vectors that covers this one best.</summary>
    public Tile Narrowed(Isa isa)
    {
        var plane = new ConvolutionGeometry
        {
            InputChannels = 256, OutputChannels = Blocks * Layout.Lanes, Taps = (1, 1, 1), Plane = (1, Rows, Columns), InputOffset = 0, InputBlock = 0, InputLane = 1, InputStep = default,
            TapStep = default, OutputOffset = 0, OutputBlock = 0, OutputStep = default,
        };
        return isa == Isa.Avx512 ? this : Choose(plane, samples: false, isa, Rows, Blocks);
    }

    /// <summary>Accumulators, the weights of one input channel and one broadcast must be registers: one too many costs
    /// two to five times.</summary>
    public bool Fits(Isa isa)
    {
        var weights = Pixels == 1 ? 1 : isa == Isa.Vector128 ? 1 : Blocks * isa.Parts;
        var broadcasts = isa == Isa.Vector128 ? Pixels + 1 : 1;
        return (Pixels * Blocks * isa.Parts) + weights + broadcasts <= isa.Registers;
    }

    private double Cycles(double steps, Isa isa)
    {
        var products = Pixels * Blocks * isa.Parts;
        var loads = Pixels + (Blocks * isa.Parts);
        var weights = steps * Blocks * 64 > FirstLevelBytes ? Blocks * 64 / SecondLevelBytesPerCycle : 0;
        return (steps * Math.Max(Math.Max(Math.Max(products, loads) / 2.0, weights), 4)) + 40 + (products * 1.5);
    }
}
