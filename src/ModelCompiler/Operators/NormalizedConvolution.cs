// Batch normalization of a 1x1 convolution y = W x, from the statistics of x. With x - m for x less its mean, C for the sums of (x - m)(x - m)ᵀ
// and n for their count, y has the mean W m and the variance diag(W C Wᵀ) / n. What comes back through the normalization is
// s·g + l·(y - W m) + h with a number of each for a channel, and it sums up to nothing, so that
//   dx = (s W)ᵀ g + (Wᵀ l W)(x - m) + Wᵀ h        dW = s (g (x - m)ᵀ) + l W C        Σ g·(y - W m) = diag(W (g (x - m)ᵀ)ᵀ)
// Where a convolution widens its input, x is a small part of y. Then y is read by nobody: mean and variance are known before it is made, and go into
// the weights that make its normalized values, as they do after training. So is s known before the sums over the batch that l and h are made of: g is
// multiplied with its weights when it is there, for each sample, and neither kept for the batch nor gone through again with y.
using System.Collections.Immutable;
using ModelCompiler.Graph;
using static ModelCompiler.Operators.Formulas;

namespace ModelCompiler.Operators;

internal sealed class NormalizedConvolution
{
    /// <summary>Outputs for an input channel from which on it pays, by a count: products with x and of x with itself take so many times less than those of g,
    /// which for four times (ResNet's blocks) is what reading g and y once more takes.</summary>
    private const int LeastWidening = 6;

    /// <summary>Places for an input channel: on small planes g and y are in the caches, and the small matrices are multiplied all the same. MobileNetV2 gains from 32
    /// channels at 28x28 and 96 at 14x14, and would not from 160 at 7x7.</summary>
    private const int LeastPlaces = 2;

    private readonly Node node;
    private readonly GraphBuilder builder;
    private readonly Node mean;
    private readonly Node centred;

    private NormalizedConvolution(Node node, GraphBuilder builder)
    {
        (this.node, this.builder) = (node, builder);
        var x = node.Inputs[0];
        mean = builder.Mean(x, x.Shape.SpatialAxes(), overBatch: true);
        centred = builder.Pointwise(X - Y, x, mean);
    }

    private int Inputs => node.Inputs[1].Shape[1];

    /// <summary>[outputs, inputs].</summary>
    private Node Weights => builder.Reshape(node.Inputs[1], Shape.Of(node.Inputs[1].Shape[0], Inputs));

    /// <summary>C.</summary>
    private Node Squares => ProductsWithInput(centred, Inputs);

    /// <summary>Null where <paramref name="node"/> is no convolution that widens its input enough.</summary>
    public static NormalizedConvolution? Of(Node node, GraphBuilder builder) => Covers(node) ? new(node, builder) : null;

    /// <summary>Of the output, a number for each channel.</summary>
    /// <param name="count">Elements behind each statistic.</param>
    public (Node Mean, Node Variance) Statistics(Expression count)
    {
        var center = OfChannels(Product(Weights, builder.Reshape(mean, Shape.Of(Inputs, 1))));
        return (center, builder.Pointwise(Max(X, 0) / count, RowSums(Product(Weights, Squares), Weights)));
    }

    /// <summary>scale · y + shift, with a number of each for a channel: a convolution with other weights, of the layer that y is of.</summary>
    public Node Scaled(Node scale, Node shift)
    {
        var origin = builder.Origin;
        builder.Origin = node.Origin;
        var scaled = builder.Add(
            Primitives.Convolution, node.Attributes, node.Inputs[0], builder.Reshape(Times(Weights, scale), node.Inputs[1].Shape), builder.Reshape(shift, Shape.Of(node.Shape[0])));
        builder.Origin = origin;
        return scaled;
    }

    /// <summary>Sums over the batch of <paramref name="upstream"/> times the output less its mean, a number for each channel.</summary>
    public Node Deviations(Node upstream) => RowSums(ProductsWithInput(upstream, node.Shape[0]), Weights);

    /// <summary>The gradients of a convolution with respect to x and weights; null where it is not such a one.</summary>
    /// <param name="upstream">The gradient with respect to <paramref name="node"/>.</param>
    public static ImmutableArray<Node?>? Gradient(Node node, Node upstream, ImmutableArray<bool> wanted, GraphBuilder builder) =>
        BatchNormPrimitive.PartsOfGradient(upstream) is { } parts && parts.Of == node
            ? Of(node, builder)?.Gradient(parts.Upstream, parts.Scale, parts.Slope, parts.Shift, wanted) : null;

    private ImmutableArray<Node?> Gradient(Node upstream, Node scale, Node slope, Node shift, ImmutableArray<bool> wanted)
    {
        var (window, groups) = node.As<ConvolutionAttributes>();
        var (x, w) = (node.Inputs[0], node.Inputs[1]);
        Node? dx = null;
        if (wanted[0])
        {
            var ofGradient = builder.Add(
                Primitives.ConvolutionInputGradient, new ConvolutionInputGradientAttributes(window, groups, x.Shape), upstream, builder.Reshape(Times(Weights, scale), w.Shape));
            var square = builder.Reshape(Product(Weights, Times(Weights, slope), transposed: true), w.Shape.With(0, Inputs));
            var ofInput = builder.Add(Primitives.Convolution, new ConvolutionAttributes(window, groups), centred, square);
            var constant = builder.Reshape(Product(builder.Reshape(shift, Shape.Of(1, w.Shape[0])), Weights), Shape.Of(Inputs));

            // The convolution of x comes first: it is the one that takes the sum over.
            dx = builder.Pointwise(X + Y + Input(2), ofInput, ofGradient, builder.AsChannels(constant, x.Shape.Rank));
        }

        var dw = wanted[1]
            ? builder.Pointwise((X * Y) + (Input(2) * Input(3)), ProductsWithInput(upstream, w.Shape[0]), Column(scale), Product(Weights, Squares), Column(slope))
            : null;
        return [dx, dw is null ? null : builder.Reshape(dw, w.Shape)];
    }

    /// <summary>Sums over the batch of a's channels times those of x less its mean: [channels, inputs].</summary>
    private Node ProductsWithInput(Node a, int channels)
    {
        var (window, groups) = node.As<ConvolutionAttributes>();
        return builder.Reshape(
            builder.Add(Primitives.ConvolutionWeightGradient, new ConvolutionWeightGradientAttributes(window, groups, node.Inputs[1].Shape.With(0, channels)), centred, a),
            Shape.Of(channels, Inputs));
    }

    private Node Column(Node vector) => builder.Reshape(vector, Shape.Of(node.Shape[0], 1));

    private Node Times(Node matrix, Node vector) => builder.Pointwise(X * Y, matrix, Column(vector));

    private Node Product(Node a, Node b, bool transposed = false) => builder.Add(Primitives.MatrixProduct, new MatrixProductAttributes(transposed, false), a, b);

    /// <summary>The sum of each row of a product element by element.</summary>
    private Node RowSums(Node a, Node b) => OfChannels(builder.Sum(builder.Pointwise(X * Y, a, b), [1], overBatch: false));

    /// <summary>A column as a number for each channel of the output.</summary>
    private Node OfChannels(Node column) => builder.AsChannels(builder.Reshape(column, Shape.Of(node.Shape[0])), node.Shape.Rank);

    private static bool Covers(Node node)
    {
        if (node.Primitive != Primitives.Convolution || node.Inputs.Length != 2)
        {
            return false;
        }

        var (window, groups) = node.As<ConvolutionAttributes>();
        var (x, w) = (node.Inputs[0], node.Inputs[1]);
        return groups == 1 && window.KernelCount == 1 && x.Batched && !w.Batched && x.Shape.Spatial.SequenceEqual(node.Shape.Spatial)
            && w.Shape[0] >= LeastWidening * w.Shape[1] && x.Shape.Count / x.Shape[0] >= LeastPlaces * (long)w.Shape[1];
    }
}
