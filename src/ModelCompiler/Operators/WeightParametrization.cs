// Weights that are functions of what is trained: directions and lengths (weight normalisation), or a matrix divided by its
// largest singular value (spectral normalisation). PyTorch's names, so that its files load.
using System.Collections.Immutable;
using ModelCompiler.Graph;
using static ModelCompiler.Operators.Formulas;

namespace ModelCompiler.Operators;

/// <summary>SpectralNorm (w, u, v): w / σ, with σ = u · (w v) for w as a matrix of rows x rest; in training u and v take a step of the power
/// method first.</summary>
public sealed record SpectralNormAttributes(double Epsilon);

internal static class WeightParametrization
{
    public static readonly ArgumentSpec Parametrize = Argument.Word(
        "parametrize",
        "weights as they are; as directions times lengths, weight_v and weight_g (Salimans and Kingma, Weight normalization, 2016); or divided by their largest singular value, weight_orig (Miyato et al., Spectral normalization, 2018)",
        "none",
        "none",
        "weight_norm",
        "spectral_norm");

    /// <summary>A layer's weights, whose axis 0 counts outputs.</summary>
    public static Node Weight(OperatorCall call, string prefix, Shape shape, Initializer initializer)
    {
        var builder = call.Builder;
        switch (call.Word("parametrize", "none"))
        {
            case "weight_norm":
                var rest = shape.Dimensions.Select((size, axis) => axis == 0 ? size : 1);
                var length = call.Parameter(prefix + "weight_g", new Shape([.. rest]), Initializer.Constant(Math.Sqrt(1.0 / 3)));
                var direction = call.Parameter(prefix + "weight_v", shape, initializer);
                var squares = builder.Sum(builder.Pointwise(X * X, direction), shape.SpatialAxes(), overBatch: false);
                return builder.Pointwise(X * Y * new UnaryFormula(UnaryFunction.ReciprocalSquareRoot, Input(2)), direction, length, squares);
            case "spectral_norm":
                var (rows, columns) = (shape[0], checked((int)(shape.Count / shape[0])));
                var random = new Initializer(InitializerKind.Normal, 1, 0, 0);
                return builder.Add(
                    Primitives.SpectralNorm,
                    new SpectralNormAttributes(1e-12),
                    call.Parameter(prefix + "weight_orig", shape, initializer),
                    call.Parameter(prefix + "weight_u", Shape.Of(rows), random, trainable: false),
                    call.Parameter(prefix + "weight_v", Shape.Of(columns), random, trainable: false));
            default:
                return call.Parameter(prefix + "weight", shape, initializer);
        }
    }
}

internal sealed class SpectralNormPrimitive : Primitive
{
    public override string Name => "SpectralNorm";

    public override Shape InferShape(ImmutableArray<Node> inputs, object? attributes) => inputs[0].Shape;

    public override Node Expand(Node node, bool training, GraphBuilder builder)
    {
        var (u, v, sigma) = Singular(node, training, builder);
        if (training)
        {
            builder.Update(node.Inputs[1], builder.Reshape(u, node.Inputs[1].Shape));
            builder.Update(node.Inputs[2], builder.Reshape(v, node.Inputs[2].Shape));
        }

        return builder.Pointwise(X / Y, node.Inputs[0], builder.Reshape(sigma, Shape.Scalar));
    }

    /// <summary>With u and v held fixed, as PyTorch has it: dW = (G - (G · W/σ) u vᵀ) / σ.</summary>
    public override ImmutableArray<Node?> Gradient(
        Node node, Node upstream, ImmutableArray<bool> wanted, GraphBuilder builder)
    {
        var w = node.Inputs[0];
        var (u, v, sigma) = Singular(node, training: true, builder);
        var product = builder.Pointwise(X * Y, upstream, w);
        var along = builder.Reshape(builder.Sum(product, product.Shape.AllAxes(), overBatch: false), Shape.Scalar);
        var outer = builder.Reshape(builder.Pointwise(X * Y, u, builder.Reshape(v, Shape.Of(1, v.Shape[0]))), w.Shape);
        return [builder.Pointwise((X - (Y * Input(2) / Input(3))) / Input(3), upstream, along, outer, builder.Reshape(sigma, Shape.Scalar)), null, null];
    }

    /// <summary>u (rows x 1), v (columns x 1) and σ (1 x 1).</summary>
    private static (Node U, Node V, Node Sigma) Singular(Node node, bool training, GraphBuilder builder)
    {
        var (rows, columns) = (node.Inputs[1].Shape[0], node.Inputs[2].Shape[0]);
        var matrix = builder.Reshape(node.Inputs[0], Shape.Of(rows, columns));
        var (u, v) = (builder.Reshape(node.Inputs[1], Shape.Of(rows, 1)), builder.Reshape(node.Inputs[2], Shape.Of(columns, 1)));
        Node Product(bool transpose, Node vector) => builder.Add(Primitives.MatrixProduct, new MatrixProductAttributes(transpose, false), matrix, vector);
        Node Unit(Node vector)
        {
            var squares = builder.Sum(builder.Pointwise(X * X, vector), [0], overBatch: false);
            var epsilon = node.As<SpectralNormAttributes>().Epsilon;
            return builder.Pointwise(X / Max(new UnaryFormula(UnaryFunction.SquareRoot, Y), epsilon), vector, squares);
        }

        if (training)
        {
            v = Unit(Product(true, u));
            u = Unit(Product(false, v));
        }

        return (u, v, builder.Sum(builder.Pointwise(X * Y, u, Product(false, v)), [0], overBatch: false));
    }
}
