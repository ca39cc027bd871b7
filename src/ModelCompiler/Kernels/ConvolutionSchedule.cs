// In which order a direct convolution walks its output. Three things are read again and again: weights, which should come
// from memory once and then from the second-level cache; inputs, likewise; and what is read next, which is asked
// for while the current tile is computed.
using ModelCompiler.Planning;

namespace ModelCompiler.Kernels;

/// <summary>Units of work: for each part of the output blocks (some groups of <see cref="Tile"/>.Blocks) all places of the plane, or for each
/// place all parts; a place is some rows, and of long rows some columns.</summary>
/// <param name="Tile">Of 512-bit vectors; its blocks decide how weights are packed.</param>
/// <param name="PartGroups">Groups of blocks whose weights stay in the cache while places pass by.</param>
/// <param name="SpanTiles">Tiles along a row in a unit.</param>
/// <param name="IsByPlace">Whether threads share the places, and so find what they read in their own caches, or the weights.</param>
internal sealed record ConvolutionSchedule(Tile Tile, int Groups, int PartGroups, int Depth, int RowTiles, int ColumnTiles, int SpanTiles, bool IsByPlace = false)
{
    /// <summary>Of the second-level cache (1 MiB, on small machines half of that): for weights, for inputs.</summary>
    private const long WeightBytes = 384 * 1024;
    private const long InputBytes = 96 * 1024;

    /// <summary>Units enough for a few threads.</summary>
    private const int FewestUnits = 8;

    /// <summary>What another thread has written costs so many times what comes from memory in order.</summary>
    private const int ForeignCost = 4;

    /// <summary>With more calls than these for a group's weights it does not matter how the first one finds them.</summary>
    private const int MostCallsAhead = 48;

    public int Parts => Rounding.Ceiling(Groups, PartGroups);

    public int Spans => Rounding.Ceiling(ColumnTiles, SpanTiles);

    /// <summary>Units of one part.</summary>
    public int Places => Depth * RowTiles * Spans;

    public int Units => Parts * Places;

    /// <summary>Calls of the micro-kernel between the first use of a group's weights and that of the next group's; 0 where
    /// asking for these in time is not worth it.</summary>
    public int CallsAhead
    {
        get
        {
            var calls = (PartGroups == 1 ? Places : 1) * SpanTiles;
            return Groups == 1 || calls > MostCallsAhead ? 0 : calls;
        }
    }

    public static ConvolutionSchedule Of(ConvolutionKernel kernel)
    {
        var geometry = kernel.Geometry;
        var tile = kernel.Samples ? ForSamples(kernel) : kernel.Wanted ?? Tile.Choose(geometry, samples: false, Isa.Avx512, int.MaxValue, MostBlocks(geometry));
        var groups = Rounding.Ceiling(geometry.OutputBlocks, tile.Blocks);
        if (kernel.Samples)
        {
            return new ConvolutionSchedule(tile, groups, 1, 1, 1, 1, 1);
        }

        var (rowTiles, columnTiles) = (Rounding.Ceiling(geometry.Plane.Rows, tile.Rows), Rounding.Ceiling(geometry.Plane.Columns, tile.Columns));
        var planes = geometry.Plane.Depth * rowTiles;
        var groupBytes = Math.Max(1, geometry.PackedBlock * 4L * tile.Blocks);
        var partGroups = (int)Math.Min(groups, Math.Max(1, WeightBytes / groupBytes));

        if (kernel.GroupByGroup)
        {
            return new ConvolutionSchedule(tile, groups, 1, geometry.Plane.Depth, rowTiles, columnTiles, columnTiles);
        }

        // Long rows are cut where several groups read the same inputs, and where threads would have too little to share.
        var tileBytes = 4L * Math.Max(1, geometry.InputChannels) * tile.Columns * tile.Rows;
        var span = partGroups == 1 ? columnTiles : (int)Math.Min(columnTiles, Math.Max(1, InputBytes / tileBytes));
        while (planes * Rounding.Ceiling(columnTiles, span) * Rounding.Ceiling(groups, partGroups) < FewestUnits && (span > 1 || partGroups > 1))
        {
            if (partGroups > 1 && (span == 1 || groups >= FewestUnits))
            {
                partGroups = Rounding.Ceiling(partGroups, 2);
            }
            else
            {
                span = Rounding.Ceiling(span, 2);
            }
        }

        // Parts and spans of nearly the same size.
        partGroups = Rounding.Ceiling(groups, Rounding.Ceiling(groups, partGroups));
        span = Rounding.Ceiling(columnTiles, Rounding.Ceiling(columnTiles, span));
        var inputs = (long)geometry.InputChannels * geometry.Plane.Depth * geometry.Plane.Rows * geometry.Plane.Columns;
        var isByPlace = partGroups < groups && planes * columnTiles > span && inputs * ForeignCost > geometry.PackedSize;
        return new ConvolutionSchedule(tile, groups, partGroups, geometry.Plane.Depth, rowTiles, columnTiles, span, isByPlace);
    }

    /// <summary>Blocks of a group where the columns are samples: enough sums for a single sample to hide the latency of additions.</summary>
    private static Tile ForSamples(ConvolutionKernel kernel) =>
        new(1, 1, Enumerable.Range(1, 8).Last(b => b <= kernel.Geometry.OutputBlocks && (kernel.Geometry.Groups == 1 || b == 1)));

    /// <summary>Whether a plane can be walked in such tiles.</summary>
    internal static bool IsPossible(ConvolutionGeometry geometry, Tile tile) =>
        tile.Rows >= 1 && tile.Rows <= Math.Min(Tile.MostRows, geometry.Plane.Rows) && tile.Columns >= 1 && tile.Columns <= Math.Min(Tile.MostColumns, geometry.Plane.Columns)
        && tile.Blocks >= 1 && tile.Blocks <= Math.Min(MostBlocks(geometry), geometry.OutputBlocks) && tile.Fits(Isa.Avx512)
        && (geometry.Groups == 1 || geometry.OutputChannels / geometry.Groups % (16 * tile.Blocks) == 0 || tile.Blocks == 1);

    /// <summary>With groups, only blocks that read the same input blocks may share a tile.</summary>
    internal static int MostBlocks(ConvolutionGeometry geometry)
    {
        const int Most = 8;
        var perGroup = geometry.OutputChannels / geometry.Groups;
        return geometry.Groups == 1 ? Most : Enumerable.Range(1, Most).Last(b => b == 1 || perGroup % (16 * b) == 0);
    }
}
