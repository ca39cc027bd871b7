// Products of matrices that both come from data: attention, and the language's `@`.
using System.Collections.Immutable;
using ModelCompiler.Graph;
using static ModelCompiler.Operators.Messages;

namespace ModelCompiler.Operators;

internal sealed class MatrixProductPrimitive : Primitive
{
    public override string Name => "MatrixProduct";

    public override Shape InferShape(ImmutableArray<Node> inputs, object? attributes)
    {
        var (transposeLeft, transposeRight) = (MatrixProductAttributes)attributes!;
        var (a, b) = (inputs[0].Shape, inputs[1].Shape);
        var (row, column) = (a.Rank - 2, a.Rank - 1);
        return a.With(row, a[transposeLeft ? column : row]).With(column, b[transposeRight ? row : column]);
    }

    /// <summary>dA = dC Bᵀ and dB = Aᵀ dC; a factor that was read transposed gets the transpose of that.</summary>
    public override ImmutableArray<Node?> Gradient(Node node, Node upstream, ImmutableArray<bool> wanted, GraphBuilder builder)
    {
        var (ta, tb) = node.As<MatrixProductAttributes>();
        var (a, b) = (node.Inputs[0], node.Inputs[1]);
        Node Product(bool left, bool right, Node first, Node second) =>
            builder.Add(Primitives.MatrixProduct, new MatrixProductAttributes(left, right), first, second);
        return
        [
            !wanted[0] ? null : ta ? Product(tb, true, b, upstream) : Product(false, !tb, upstream, b),
            !wanted[1] ? null : tb ? Product(true, ta, upstream, a) : Product(!ta, false, a, upstream),
        ];
    }

    public override long Macs(Node node)
    {
        var left = node.Inputs[0].Shape;
        return node.Shape.Count * left[node.As<MatrixProductAttributes>().TransposeLeft ? left.Rank - 2 : left.Rank - 1];
    }
}

internal static class AttentionOperators
{
    public static readonly ImmutableArray<Operator> All =
    [
        Definition.Of("matmul", ["left", "right"], "Matrix product over the last two axes, also written a @ b.", "", Product),
        Definition.Unary(
            "attention",
            "Multi-head self-attention over rows x features, with PyTorch's weights: in_proj_weight, in_proj_bias, out_proj.weight, out_proj.bias.",
            "Vaswani et al., Attention is all you need, 2017",
            Attention,
            Argument.Integer("heads", "number of heads; divides the features"),
            Argument.Bias),
    ];

    private static Node Product(OperatorCall call)
    {
        var (a, b) = (call.Inputs[0], call.Inputs[1]);
        var rank = a.Shape.Rank;
        if (rank < 2 || b.Shape.Rank != rank)
        {
            throw new OperatorException(
                "CNN3013", "input:1", $"a matrix product needs two or more axes, as many on both sides, not {Describe(a)} @ {Describe(b)}; use 'reshape'");
        }

        for (var axis = 0; axis < rank - 2; axis++)
        {
            if (a.Shape[axis] != b.Shape[axis])
            {
                throw new OperatorException(
                    "CNN3013", "input:1", $"cannot multiply {Describe(a)} @ {Describe(b)}: the leading axes are {Text(a.Shape[axis])} and {Text(b.Shape[axis])}, and must be equal");
            }
        }

        return a.Shape[rank - 1] == b.Shape[rank - 2]
            ? call.Builder.Add(Primitives.MatrixProduct, new MatrixProductAttributes(false, false), a, b)
            : throw new OperatorException(
                "CNN3013", "input:1", $"cannot multiply {Describe(a)} @ {Describe(b)}: the left has {Text(a.Shape[rank - 1])} columns, the right {Text(b.Shape[rank - 2])} rows{TransposeHint(a.Shape, b.Shape)}");
    }

    private static string TransposeHint(Shape a, Shape b) =>
        a[a.Rank - 1] == b[b.Rank - 1] ? "; did you mean '-> transpose' behind the right one?" : "";

    private static Node Attention(OperatorCall call, Node x)
    {
        if (x.Shape.Rank != 2)
        {
            throw new OperatorException("CNN3001", null, $"'attention' works on rows x features, not on {Describe(x)}; put '-> tokens' before it");
        }

        var (rows, width, heads) = (x.Shape[0], x.Shape[1], call.Integer("heads"));
        if (width % heads != 0)
        {
            throw new OperatorException("CNN3003", "heads", $"'attention' cannot split the {Text(width)} features of {Describe(x)} into {Text(heads)} heads");
        }

        var builder = call.Builder;
        var size = width / heads;
        var projected = Project(call, x, "in_proj_weight", "in_proj_bias", checked(3 * width));
        Node Heads(int part) => builder.Transpose(builder.Reshape(builder.Slice(projected, 1, part * width, width), Shape.Of(rows, heads, size)), [1, 0, 2]);

        // The scale goes to the queries, which are fewer than the scores.
        var query = builder.Pointwise(Formulas.Multiply(1 / Math.Sqrt(size), Formulas.X), Heads(0));
        var scores = builder.Add(Primitives.MatrixProduct, new MatrixProductAttributes(false, true), query, Heads(1));
        var weights = builder.Add(Primitives.Softmax, new SoftmaxAttributes(2), scores);
        var mixed = builder.Add(Primitives.MatrixProduct, new MatrixProductAttributes(false, false), weights, Heads(2));
        var joined = builder.Reshape(builder.Transpose(mixed, [1, 0, 2]), x.Shape);
        return Project(call, joined, "out_proj.weight", "out_proj.bias", width);
    }

    private static Node Project(OperatorCall call, Node x, string weightName, string biasName, int features)
    {
        var inputs = x.Shape[1];
        var weight = call.Parameter(weightName, Shape.Of(features, inputs), new Initializer(InitializerKind.XavierUniform, 1, inputs, features));
        return call.Boolean("bias", true)
            ? call.Builder.Add(Primitives.Dense, null, x, weight, call.Parameter(biasName, Shape.Of(features), Initializer.Constant(0)))
            : call.Builder.Add(Primitives.Dense, null, x, weight);
    }
}
