// Sums over the batch that the kernel which makes the summed value takes along the way: it has every row in the first-level cache.
using System.Collections.Immutable;
using ModelCompiler.Graph;
using ModelCompiler.Kernels;

namespace ModelCompiler.Planning;

public sealed partial class Planner
{
    /// <summary>Floats of a sample from which on it pays: smaller values are in the second-level cache for whoever sums them up.</summary>
    private const int LeastToSum = 1 << 18;

    /// <summary>Products for an output of a convolution: where there are more, moments are a small part of its time, and not worth a second driver in the code.</summary>
    private const int MostProductsToSum = 48;

    /// <summary>Lets the step that stored a value sum it up as well. Null where its kernel does not, or where it runs before what the sums need.</summary>
    /// <param name="value">Blocked, of two axes.</param>
    /// <param name="formulas">Input 0 is the value, the others <paramref name="others"/>; none: mean and squared deviations.</param>
    /// <returns>The sums, their layout, the columns that each but the last of a row is of, and the columns of a row.</returns>
    private (ImmutableArray<BufferDraft> Buffers, Layout Layout, int Columns, int Row)? TakeSums(StoredValue value, ImmutableArray<Expression> formulas, ImmutableArray<StoredValue> others)
    {
        var layout = value.Layout;
        static Predicate<StepDraft> Stores(StoredValue value) => step => step.Operands.Skip(step.Kernel.ReadOperands).Contains(value.Buffer);
        var at = steps.FindLastIndex(Stores(value));
        var step = at < 0 ? null : steps[at];
        if (step is null || layout.Size < LeastToSum || layout.Kind != LayoutKind.Blocked || layout.Shape.Rank != 3 || value.Buffer.Grouped || steps.FindIndex(Stores(value)) != at
            || others.Any(o => !IsSummable(o, layout) || steps.FindLastIndex(Stores(o)) >= at))
        {
            return null;
        }

        // The kernel must be the one that stores the value as it is read: a row of it, or of a plane that is one row.
        var extras = others.Select(o => o.Layout).ToImmutableArray();
        ChannelSums Sums(int rows, int rowParts) => new(formulas, extras, layout.Channels, rows, rowParts);
        Kernel kernel;
        ChannelSums sums;
        var (columns, row) = (layout.Width, layout.Width);
        if (step.Kernel is ConvolutionKernel)
        {
            step = Reading(step, others);
        }

        switch (step.Kernel)
        {
            case DepthwiseKernel { Sums: null } depthwise when depthwise.Output.Equals(layout):
                kernel = depthwise with { Sums = sums = Sums(layout.Height, 1) };
                break;
            case DepthwiseInputGradientKernel { Sums: null, TakesFormula: true } gradient when gradient.InputGradient.Equals(layout):
                kernel = gradient with { Sums = sums = Sums(layout.Height, 1) };
                break;
            case ConvolutionKernel { Sums: null, TakesSums: true } convolution when convolution.Geometry is var g && g.InputChannels * g.TapCount <= MostProductsToSum && g.OutputOffset == layout.Origin && g.OutputBlock == layout.BlockStride
                && (g.Plane.Columns == layout.Width ? g.Plane.Rows == layout.Height && g.OutputStep.Rows == layout.RowStride
                    : g.Plane.Rows == 1 && g.Plane.Columns == layout.Height * layout.Width && layout.IsDense):
                (columns, row) = (convolution.SumColumns(ofProducts: !others.IsEmpty), g.Plane.Columns);
                kernel = convolution with { Sums = sums = Sums(g.Plane.Rows, Rounding.Ceiling(row, columns)) };
                break;
            default:
                return null;
        }

        var buffers = Enumerable.Range(0, sums.Results).Select(_ => OfSample(sums.Parts)).ToImmutableArray();
        steps[at] = step with { Kernel = kernel, Operands = [.. step.Operands.RemoveAt(step.Operands.Length - 1), .. others.Select(o => o.Buffer), value.Buffer, .. buffers] };
        return (buffers, sums.Parts, Math.Min(columns, row), row);
    }

    /// <summary>A convolution whose formula computes again what a point-wise step has made of one of <paramref name="others"/>: sums read that one
    /// anyway, so that one value passes by instead of two.</summary>
    private StepDraft Reading(StepDraft step, ImmutableArray<StoredValue> others)
    {
        var convolution = (ConvolutionKernel)step.Kernel;
        var first = convolution.Bias ? 3 : 2;
        for (var i = 0; i < convolution.Fused.Length; i++)
        {
            var made = step.Operands[first + i];
            if (convolution.Formula is null || steps.FindLast(s => s.Operands.Skip(s.Kernel.ReadOperands).Contains(made)) is not { Kernel: PointwiseKernel { Scope: KernelScope.Sample } point } maker
                || !Fusion.IsCheap(point.Formula) || convolution.Fused.Length + point.Inputs.Length - 1 > Fusion.MostOperands)
            {
                continue;
            }

            // The value's source stands in its place, and numbers of channels behind the other operands.
            var vectors = Enumerable.Range(0, point.Inputs.Length)
                .Where(k => !maker.Operands[k].Batched && ChannelSums.IsVector(point.Inputs[k]) && HasNumberOfEach(point.Inputs[k], point.Output)).ToList();
            var source = Enumerable.Range(0, point.Inputs.Length).Except(vectors).DefaultIfEmpty(-1).First();
            if (source < 0 || vectors.Count < point.Inputs.Length - 1 || !point.Inputs[source].Equals(point.Output) || others.All(o => o.Buffer != maker.Operands[source]))
            {
                continue;
            }

            var formula = Fusion.Substitute(point.Formula, k => new InputFormula(k == source ? i + 1 : convolution.Fused.Length + 1 + vectors.IndexOf(k)));
            return step with
            {
                Kernel = convolution with
                {
                    Formula = Fusion.Substitute(convolution.Formula, k => k == i + 1 ? formula : new InputFormula(k)),
                    Fused = convolution.Fused.AddRange(vectors.Select(_ => new FusedOperand(0, Layout.Lanes, default))),
                },
                Operands = step.Operands.SetItem(first + i, maker.Operands[source]).InsertRange(first + convolution.Fused.Length, vectors.Select(k => maker.Operands[k])),
            };
        }

        return step;
    }

    /// <summary>Whether it lies beside a value of a layout, element by element, or has one number for each channel.</summary>
    private static bool IsSummable(StoredValue other, Layout layout) => !other.Buffer.Grouped
        && (ChannelSums.IsVector(other.Layout) ? HasNumberOfEach(other.Layout, layout)
            : other.Layout.Kind == LayoutKind.Blocked && other.Layout.Shape.Equals(layout.Shape));

    /// <summary>Whether numbers of channels are those of a value's channels.</summary>
    private static bool HasNumberOfEach(Layout vector, Layout value) => vector.Channels == value.Channels && vector.Halo.IsNone;
}
