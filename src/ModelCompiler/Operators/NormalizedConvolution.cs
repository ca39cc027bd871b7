// The gradient of a 1x1 convolution that batch normalization follows. What comes back through the normalization is s·g + l·(y - m) + h with
// a number of each for a channel, and y = W x, so its products with W and x are those of g, and of x with small matrices:
//   dx = (s W)ᵀ g + (Wᵀ l W) x + Wᵀ (h - l m)        dW = s (g xᵀ) + l W (x xᵀ) + (h - l m) Σxᵀ
// Where a convolution widens its input, x is a small part of y. s is known before the sums over the batch that l and h are made of: g is
// multiplied with its weights when it is there, for each sample, and neither kept for the batch nor gone through again with y.
using System.Collections.Immutable;
using ModelCompiler.Graph;
using static ModelCompiler.Operators.Formulas;

namespace ModelCompiler.Operators;

internal static class NormalizedConvolution
{
    /// <summary>Outputs for an input channel from which on it pays, by a count: products with x and of x with itself take so many times less than those of g,
    /// which for four times (ResNet's blocks) is what reading g and y once more takes.</summary>
    private const int LeastWidening = 6;

    /// <summary>Places for an input channel: on small planes g and y are in the caches, and the small matrices are multiplied all the same.</summary>
    private const int LeastPlaces = 64;

    /// <summary>The gradients of a convolution with respect to x and weights; null where it is not such a one.</summary>
    /// <param name="upstream">The gradient with respect to <paramref name="node"/>.</param>
    public static ImmutableArray<Node?>? Gradient(Node node, Node upstream, ImmutableArray<bool> wanted, GraphBuilder builder)
    {
        if (!Covers(node) || BatchNormPrimitive.PartsOfGradient(upstream) is not { } parts || parts.Of != node)
        {
            return null;
        }

        var (window, groups) = node.As<ConvolutionAttributes>();
        var (x, w) = (node.Inputs[0], node.Inputs[1]);
        var (outputs, inputs) = (w.Shape[0], w.Shape[1]);
        var rows = Shape.Of(outputs, inputs);
        Node Column(Node vector) => builder.Reshape(vector, Shape.Of(outputs, 1));
        Node Product(Node a, Node b, bool transposed = false) => builder.Add(Primitives.MatrixProduct, new MatrixProductAttributes(transposed, false), a, b);

        var matrix = builder.Reshape(w, rows);
        var (scale, slope) = (Column(parts.Scale), Column(parts.Slope));
        var shift = builder.Pointwise(X - (Y * Input(2)), Column(parts.Shift), slope, Column(parts.Mean));
        Node? dx = null;
        if (wanted[0])
        {
            var scaled = builder.Reshape(builder.Pointwise(X * Y, matrix, scale), w.Shape);
            var ofGradient = builder.Add(Primitives.ConvolutionInputGradient, new ConvolutionInputGradientAttributes(window, groups, x.Shape), parts.Upstream, scaled);
            var square = Product(matrix, builder.Pointwise(X * Y, matrix, slope), transposed: true);
            var ofInput = builder.Add(
                Primitives.Convolution, new ConvolutionAttributes(window, groups), x, builder.Reshape(square, Shape.Of(inputs, w.Shape.With(0, inputs).Dimensions.RemoveAt(0))));
            var constant = builder.Reshape(Product(builder.Reshape(shift, Shape.Of(1, outputs)), matrix), Shape.Of(inputs));

            // The convolution of x comes first: it is the one that takes the sum over.
            dx = builder.Pointwise(X + Y + Input(2), ofInput, ofGradient, builder.AsChannels(constant, x.Shape.Rank));
        }

        Node? dw = null;
        if (wanted[1])
        {
            Node Sums(Node a, int channels) => builder.Reshape(
                builder.Add(Primitives.ConvolutionWeightGradient, new ConvolutionWeightGradientAttributes(window, groups, w.Shape.With(0, channels)), x, a), Shape.Of(channels, inputs));
            var total = builder.Reshape(builder.Sum(x, x.Shape.SpatialAxes(), overBatch: true), Shape.Of(1, inputs));
            dw = builder.Reshape(
                builder.Pointwise(
                    (X * Y) + (Input(2) * Input(3)) + (Input(4) * Input(5)), Sums(parts.Upstream, outputs), scale, Product(matrix, Sums(x, inputs)), slope, shift, total),
                w.Shape);
        }

        return [dx, dw];
    }

    private static bool Covers(Node node)
    {
        var (window, groups) = node.As<ConvolutionAttributes>();
        var (x, w) = (node.Inputs[0], node.Inputs[1]);
        return node.Inputs.Length == 2 && groups == 1 && window.KernelCount == 1 && x.Batched && !w.Batched && x.Shape.Spatial.SequenceEqual(node.Shape.Spatial)
            && w.Shape[0] >= LeastWidening * w.Shape[1] && x.Shape.Count / x.Shape[0] >= LeastPlaces * (long)w.Shape[1];
    }
}
