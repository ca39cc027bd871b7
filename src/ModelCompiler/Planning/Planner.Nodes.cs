// Steps for every kind of node but convolutions and dense layers: pools, formulas, reductions, movement, classes.
using System.Collections.Immutable;
using ModelCompiler.Graph;
using ModelCompiler.Kernels;
using ModelCompiler.Operators;

namespace ModelCompiler.Planning;

public sealed partial class Planner
{
    private void Plan(FusedNode fused)
    {
        var node = fused.Anchor;
        var primitive = node.Primitive;
        if (primitive == Primitives.Input || primitive == Primitives.Parameter)
        {
            return;
        }

        if (pooled.Contains(node) || TryPlanPlanar(fused) || TryPlanInterleaved(fused))
        {
            return;
        }

        if (primitive == Primitives.Convolution)
        {
            PlanConvolution(fused);
        }
        else if (primitive == Primitives.ConvolutionInputGradient)
        {
            PlanInputGradient(fused);
        }
        else if (primitive == Primitives.ConvolutionWeightGradient)
        {
            PlanWeightGradient(node);
        }
        else if (primitive == Primitives.Dense || primitive == Primitives.DenseInputGradient)
        {
            PlanDense(fused);
        }
        else if (primitive == Primitives.DenseWeightGradient)
        {
            PlanDenseWeightGradient(node);
        }
        else if (primitive == Primitives.MaxPool)
        {
            PlanMaxPool(node);
        }
        else if (primitive == Primitives.MaxPoolWinners)
        {
            PlanMaxPoolWinners(node);
        }
        else if (primitive == Primitives.MaxPoolGradient)
        {
            AddBlockwise(node, "gradient", (x, y) => new MaxPoolGradientKernel(node.As<MaxPoolGradientAttributes>().Window, x[0], x[1], y));
        }
        else if (primitive == Primitives.AveragePool)
        {
            var pool = node.As<AveragePoolAttributes>();
            AddBlockwise(node, "average_pool", (x, y) => new AveragePoolKernel(pool.Window, pool.CountPadding, x[0], y));
        }
        else if (primitive == Primitives.AveragePoolGradient)
        {
            var pool = node.As<AveragePoolAttributes>();
            AddBlockwise(node, "gradient", (x, y) => new AveragePoolGradientKernel(pool.Window, pool.CountPadding, x[0], y));
        }
        else if (primitive == Primitives.Pointwise)
        {
            PlanPointwise(fused);
        }
        else if (primitive == Primitives.Reduce)
        {
            PlanReduce(fused);
        }
        else if (primitive == Primitives.Reshape)
        {
            // Row-major order stays, so a Flat value only changes its name.
            var x = Reshaped(node) ?? Get(node.Inputs[0], LayoutKind.Flat);
            values[node] = destinations.TryGetValue(node, out var address) && x.Buffer.Address != address
                ? CopyTo(node, x, address) : new StoredValue(x.Buffer, new Layout(x.Layout.Kind, node.Shape));
        }
        else if (primitive == Primitives.Concat || primitive == Primitives.Slice || primitive == Primitives.Pad)
        {
            PlanMovement(node);
        }
        else if (primitive == Primitives.Transpose)
        {
            PlanTranspose(node);
        }
        else if (primitive == Primitives.Resample || primitive == Primitives.ResampleGradient)
        {
            var x = Get(node.Inputs[0], LayoutKind.Blocked);
            var y = Store(node, LayoutKind.Blocked);
            var backward = primitive == Primitives.ResampleGradient;
            Add(node, "resample", new ResampleKernel(node.As<ResampleAttributes>(), backward, x.Layout, y.Layout, Scope(node)), x.Buffer, y.Buffer);
        }
        else if (primitive == Primitives.MatrixProduct)
        {
            PlanMatrixProduct(node);
        }
        else if (primitive == Primitives.Softmax || primitive == Primitives.LogSoftmax)
        {
            var x = Get(node.Inputs[0], LayoutKind.Flat);
            var y = Store(node, LayoutKind.Flat);
            var logarithm = primitive == Primitives.LogSoftmax;
            Add(node, logarithm ? "log_softmax" : "softmax", new SoftmaxKernel(node.Shape, node.As<SoftmaxAttributes>().Axis, logarithm, Scope(node)), x.Buffer, y.Buffer);
        }
        else if (primitive == Primitives.GatherClass)
        {
            var x = Get(node.Inputs[0], LayoutKind.Flat);
            var y = Store(node, LayoutKind.Flat);
            Add(node, "gather", new GatherClassKernel(node.Inputs[0].Shape), x.Buffer, values[node.Inputs[1]].Buffer, y.Buffer);
        }
        else if (primitive == Primitives.ScatterClass)
        {
            var x = Get(node.Inputs[0], LayoutKind.Flat);
            var y = Store(node, LayoutKind.Flat);
            Add(node, "scatter", new ScatterClassKernel(node.Shape), x.Buffer, values[node.Inputs[1]].Buffer, y.Buffer);
        }
        else if (!PlanSelection(node))
        {
            throw new InvalidOperationException($"The planner has no kernel for '{primitive.Name}'.");
        }
    }

    /// <summary>A factor that is read transposed is transposed first: its elements are then read once for each tile, in order.</summary>
    private void PlanMatrixProduct(Node node)
    {
        var (transposeLeft, transposeRight) = node.As<MatrixProductAttributes>();
        var (a, b) = (Factor(node, 0, transposeLeft), Factor(node, 1, transposeRight));
        var y = Store(node, LayoutKind.Flat);
        var rank = node.Shape.Rank;
        var (rows, columns) = (node.Shape[rank - 2], node.Shape[rank - 1]);
        var inner = a.Layout.Shape[rank - 1];
        var kernel = new MatrixProductKernel((int)(node.Shape.Count / rows / columns), rows, inner, columns, Scope(node));
        Add(node, "product", kernel, a.Buffer, b.Buffer, y.Buffer);
    }

    private StoredValue Factor(Node node, int index, bool transpose)
    {
        var input = node.Inputs[index];
        var x = Get(input, LayoutKind.Flat);
        if (!transpose)
        {
            return x;
        }

        var rank = input.Shape.Rank;
        var permutation = input.Shape.AllAxes().SetItem(rank - 2, rank - 1).SetItem(rank - 1, rank - 2);
        var layout = new Layout(LayoutKind.Flat, new Shape(permutation.Select(axis => input.Shape[axis]).ToImmutableArray()));
        var turned = new StoredValue(new BufferDraft(layout.Size, input.Batched, ""), layout);
        Add(node, index == 0 ? "left" : "right", CopyKernel.Transpose(x.Layout, layout, permutation, Scope(input)), x.Buffer, turned.Buffer);
        return turned;
    }

    /// <summary>Blocked where the full-sized operands already are; vectors and scalars fit anything.</summary>
    private LayoutKind KindFor(IEnumerable<Node> operands, Shape shape)
    {
        var full = operands.Where(o => values[o].Layout.Kind != LayoutKind.Planar && !IsVector(o.Shape) && o.Shape.Rank == shape.Rank).ToList();
        var blocked = shape.Rank is > 1 and < 5 && full.Any(o => values[o].Layout.Kind == LayoutKind.Blocked);
        return blocked ? LayoutKind.Blocked : LayoutKind.Flat;
    }

    private static Shape Broadcast(IEnumerable<Shape> shapes, Shape atLeast) =>
        shapes.Aggregate(atLeast, (a, b) => b.Rank == 0 ? a : a.Rank == 0 ? b : new Shape(a.Dimensions.Select((d, i) => Math.Max(d, b[i])).ToImmutableArray()));

    private StoredValue Operand(Node node, LayoutKind kind) =>
        node.Shape.Rank == 0 || (node.Shape.Count == 1 && values[node].Layout.Halo.IsNone) ? values[node] : Get(node, kind);

    private void PlanPointwise(FusedNode fused)
    {
        var node = fused.Output;
        var kind = KindFor(fused.Operands, node.Shape);
        var inputs = fused.Operands.Select(o => Operand(o, kind)).ToList();
        var y = Store(node, kind);
        var formula = fused.Formula ?? node.As<PointwiseAttributes>().Formula;
        var kernel = new PointwiseKernel(formula, inputs.Select(i => i.Layout).ToImmutableArray(), y.Layout, Scope(node));
        Add(node, "pointwise", kernel, inputs.Select(i => i.Buffer).Append(y.Buffer).ToArray());
    }

    private void PlanMovement(Node node)
    {
        var kind = KindFor(node.Inputs, node.Shape);
        var inputs = node.Inputs.Select(i => Get(i, kind)).ToList();
        var y = Store(node, kind);
        if (node.Primitive == Primitives.Slice)
        {
            var slice = node.As<SliceAttributes>();
            Add(node, "slice", CopyKernel.Slice(inputs[0].Layout, y.Layout, slice.Axis, slice.Start, Scope(node)), inputs[0].Buffer, y.Buffer);
        }
        else if (node.Primitive == Primitives.Pad)
        {
            var pad = node.As<PadAttributes>();
            Add(node, "pad", CopyKernel.Pad(inputs[0].Layout, y.Layout, pad.Axis, pad.Before, Scope(node)), inputs[0].Buffer, y.Buffer);
        }
        else
        {
            var axis = node.As<ConcatAttributes>().Axis;
            var start = 0;
            foreach (var (input, index) in inputs.Select((input, index) => (input, index)))
            {
                if (input.Buffer.Inside is not { } inside || inside.Whole != y.Buffer || inside.Offset != start / Layout.Lanes * y.Layout.BlockStride)
                {
                    Add(node, "concat", CopyKernel.Concat(input.Layout, y.Layout, axis, start, Scope(node)), input.Buffer, y.Buffer);
                }

                start += node.Inputs[index].Shape[axis];
            }
        }
    }
}
