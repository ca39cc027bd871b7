// Windows and layouts to the numbers of the dense kernels: forward, data gradient by phases, weight gradient.
using System.Collections.Immutable;
using ModelCompiler.Graph;
using ModelCompiler.Kernels;

namespace ModelCompiler.Planning;

/// <summary>A part of a strided data gradient: every Stride-th element from Phase on, along each axis.</summary>
internal sealed record GradientPart(ConvolutionGeometry Geometry, TapSelection Taps, (int Depth, int Rows, int Columns) Phase, (int Depth, int Rows, int Columns) Stride)
{
    /// <summary>An operand of the formula, seen at the elements of this part.</summary>
    public FusedOperand Operand(Layout layout) => Geometries.Operand(layout) is var whole && whole.Step == default
        ? whole
        : new FusedOperand(whole.Offset + Geometries.At(layout, Phase), whole.Block, Geometries.Steps(layout, Stride));
}

internal static class Geometries
{
    public static ConvolutionGeometry Forward(Window window, int groups, Layout x, Layout y)
    {
        var (depth, rows, columns) = Axis3.Of(window);
        var geometry = new ConvolutionGeometry
        {
            InputChannels = x.Channels,
            OutputChannels = y.Channels,
            Groups = groups,
            Taps = (depth.Kernel, rows.Kernel, columns.Kernel),
            Plane = (y.Depth, y.Height, y.Width),
            InputOffset = x.Origin - At(x, (depth.PadBegin, rows.PadBegin, columns.PadBegin)),
            InputBlock = x.BlockStride,
            InputLane = x.LaneStride,
            InputStep = Steps(x, (depth.Stride, rows.Stride, columns.Stride)),
            TapStep = Steps(x, (depth.Dilation, rows.Dilation, columns.Dilation)),
            OutputOffset = y.Origin,
            OutputBlock = y.BlockStride,
            OutputStep = Steps(y, (1, 1, 1)),
        };
        return geometry;
    }

    /// <summary>dx from dy: for each phase of the stride a convolution of dy with some of the taps.</summary>
    public static IEnumerable<GradientPart> InputGradient(Window window, int groups, Layout dy, Layout dx)
    {
        var (depth, rows, columns) = Axis3.Of(window);
        return
            from d in GradientPhase.Of(depth, dx.Depth)
            from r in GradientPhase.Of(rows, dx.Height)
            from c in GradientPhase.Of(columns, dx.Width)
            let phase = (d.Phase, r.Phase, c.Phase)
            let stride = (depth.Stride, rows.Stride, columns.Stride)
            let geometry = new ConvolutionGeometry
            {
                InputChannels = dy.Channels,
                OutputChannels = dx.Channels,
                Groups = groups,

                // Elements that no tap reaches are zero: a convolution without taps.
                Taps = d.Taps == 0 || r.Taps == 0 || c.Taps == 0 ? (0, 0, 0) : (d.Taps, r.Taps, c.Taps),
                Plane = (d.Count, r.Count, c.Count),
                InputOffset = dy.Origin + At(dy, (d.Start, r.Start, c.Start)),
                InputBlock = dy.BlockStride,
                InputLane = dy.LaneStride,
                InputStep = Steps(dy, (1, 1, 1)),
                TapStep = Steps(dy, (d.Step, r.Step, c.Step)),
                OutputOffset = dx.Origin + At(dx, phase),
                OutputBlock = dx.BlockStride,
                OutputStep = Steps(dx, stride),
            }
            let taps = new TapSelection((depth.Kernel, rows.Kernel, columns.Kernel), (d.FirstTap, r.FirstTap, c.FirstTap), (d.TapStep, r.TapStep, c.TapStep))
            select new GradientPart(geometry, taps, phase, stride);
    }

    public static WeightGradientGeometry WeightGradient(Window window, int groups, Layout x, Layout dy)
    {
        var (depth, rows, columns) = Axis3.Of(window);
        return new WeightGradientGeometry
        {
            InputChannels = x.Channels,
            OutputChannels = dy.Channels,
            Groups = groups,
            Taps = (depth.Kernel, rows.Kernel, columns.Kernel),
            Plane = (dy.Depth, dy.Height, dy.Width),
            InputOffset = x.Origin - At(x, (depth.PadBegin, rows.PadBegin, columns.PadBegin)),
            InputBlock = x.BlockStride,
            InputLane = x.LaneStride,
            InputStep = Steps(x, (depth.Stride, rows.Stride, columns.Stride)),
            TapStep = Steps(x, (depth.Dilation, rows.Dilation, columns.Dilation)),
            GradientOffset = dy.Origin,
            GradientBlock = dy.BlockStride,
            GradientStep = Steps(dy, (1, 1, 1)),
        };
    }

    /// <summary>The same of a 1x1 convolution with x and dy in each other's places, which makes the transposed gradient: null unless that takes fewer products,
    /// as where blocks of outputs would be half empty (24 = 16 + 8) and those of inputs are full.</summary>
    public static WeightGradientGeometry? TurnedWeightGradient(Window window, int groups, Layout x, Layout dy)
    {
        var isOfPoints = groups == 1 && window.KernelCount == 1 && window.PadBegin.All(p => p == 0) && x.LaneStride == 1;
        return isOfPoints && Products(x.Channels, dy.Channels) > Products(dy.Channels, x.Channels) ? Turned(WeightGradient(window, groups, x, dy)) : null;
    }

    /// <summary>That of a dense layer over <paramref name="rows"/> places, in whichever order takes fewer products.</summary>
    public static WeightGradientGeometry DenseWeightGradient(int inputs, int outputs, int rows)
    {
        var geometry = new WeightGradientGeometry
        {
            InputChannels = inputs,
            OutputChannels = outputs,
            Taps = (1, 1, 1),
            Plane = (1, 1, rows),
            InputOffset = 0,
            InputBlock = Layout.Lanes,
            InputLane = 1,
            InputStep = (0, 0, rows > 1 ? inputs : 0),
            TapStep = default,
            GradientOffset = 0,
            GradientBlock = Layout.Lanes,
            GradientStep = (0, 0, rows > 1 ? outputs : 0),
        };
        return Products(inputs, outputs) > Products(outputs, inputs) ? Turned(geometry) : geometry;
    }

    private static WeightGradientGeometry Turned(WeightGradientGeometry geometry) => geometry with
    {
        IsTurned = true,
        InputChannels = geometry.OutputChannels,
        OutputChannels = geometry.InputChannels,
        InputOffset = geometry.GradientOffset,
        InputBlock = geometry.GradientBlock,
        InputStep = geometry.GradientStep,
        TapStep = geometry.GradientStep,
        GradientOffset = geometry.InputOffset,
        GradientBlock = geometry.InputBlock,
        GradientStep = geometry.InputStep,
    };

    /// <summary>Of the sum over one place, with blocks of outputs filled up.</summary>
    private static long Products(int inputs, int outputs) => (long)inputs * Rounding.Ceiling(outputs, Layout.Lanes) * Layout.Lanes;

    /// <summary>Rows of a 1x1 convolution need not end: where nothing lies between them the plane is one long row, which more
    /// tiles divide.</summary>
    public static ConvolutionGeometry Flattened(ConvolutionGeometry geometry, Window window, params IEnumerable<Layout> layouts)
    {
        var unit = window.KernelCount == 1 && window.Stride.All(s => s == 1) && window.PadBegin.Concat(window.PadEnd).All(p => p == 0);
        return unit && layouts.All(l => l.IsDense)
            ? geometry with { Plane = (1, 1, geometry.Plane.Depth * geometry.Plane.Rows * geometry.Plane.Columns) }
            : geometry;
    }

    public static FusedOperand Operand(Layout layout) => layout.Shape.Count == layout.Channels && layout.Halo.IsNone
        ? new FusedOperand(0, Layout.Lanes, default)
        : new FusedOperand(layout.Origin, layout.BlockStride, Steps(layout, (1, 1, 1)));

    internal static int At(Layout layout, (int Depth, int Rows, int Columns) position) =>
        (position.Depth * layout.DepthStride) + (position.Rows * layout.RowStride) + (position.Columns * layout.ColumnStride);

    internal static (int Depth, int Rows, int Columns) Steps(Layout layout, (int Depth, int Rows, int Columns) by) =>
        (by.Depth * layout.DepthStride, by.Rows * layout.RowStride, by.Columns * layout.ColumnStride);
}
