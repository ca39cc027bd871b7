// Draws operators with attributes at random, as the language writes them: what nobody thought of trying. Whether a draw is
// legal is for the compiler to say; the ones it refuses are drawn again.
namespace ModelCompiler.Tests.Emission;

/// <param name="random">Source of every choice: the same seed gives the same text.</param>
internal sealed class RandomOperators(Random random)
{
    private static readonly int[] Channels = [1, 2, 3, 4, 6, 8, 16, 17, 18, 33];

    private static readonly string[] Pointwise =
    [
        "relu", "relu6", "tanh", "sigmoid", "silu", "mish", "softplus", "softsign", "hardsigmoid", "hardswish", "selu", "elu", "gelu", "gelu(approximate: tanh)", "atan", "abs",
        "sin", "cos", "square", "neg", "leaky_relu(0.2)", "elu(0.5)", "clamp(-0.4, 0.6)", "pow(3)", "prelu", "prelu(shared: true)", "dropout(0.3)", "identity", "detach",
    ];

    /// <summary>Shape of an input: channels and one to three spatial axes, rows of features, or a vector.</summary>
    public string Shape()
    {
        var rank = random.Next(10) switch { 0 => 1, 1 or 2 => 2, 9 => 4, _ => 3 };
        var largest = rank == 4 ? 5 : 9;
        return string.Join('x', Enumerable.Range(0, rank).Select(axis => axis == 0 ? Of(Channels) : rank == 1 ? Of(Channels) : 1 + random.Next(largest)).Select(size => $"{size}"))
            is var text && rank == 1 ? $"[{text}]" : text;
    }

    /// <summary>One operator for an input of the given shape; perhaps one that does not fit.</summary>
    public string Operator(IReadOnlyList<int> shape) => shape.Count switch
    {
        1 => Of([Any, Vector])(shape),
        2 => Of([Any, Rows, Rows, Spatial, Spatial, Space])(shape),
        3 or 4 => Of([Any, Spatial, Spatial, Space, Space, Normalization, shape.Count == 3 ? Map : Spatial])(shape),
        _ => Any(shape),
    };

    private string Any(IReadOnlyList<int> shape)
    {
        var axis = random.Next(-shape.Count, shape.Count);
        var size = shape[axis < 0 ? axis + shape.Count : axis];
        var places = string.Join(", ", Enumerable.Range(0, 1 + random.Next(4)).Select(_ => random.Next(size)));
        return random.Next(16) switch
        {
            0 => $"softmax(axis: {axis}, temperature: {Of("0.5", "1", "3")})",
            1 => $"log_softmax(axis: {axis})",
            2 => $"reduce_{Of("sum", "mean", "max")}([{axis}], keep: {Truth})",
            3 => $"slice({random.Next(size)}, axis: {axis})",
            4 => $"index_select([{places}], axis: {axis})",
            5 => $"topk({1 + random.Next(size)}, axis: {axis}) -> First",
            6 => $"argmax(axis: {axis})",
            7 => $"permute([{string.Join(", ", Enumerable.Range(0, shape.Count).OrderBy(_ => random.Next()))}])",
            8 => $"Residual({Of(Pointwise)})",
            9 => $"split({Of(1, 2, 3)}, axis: {axis}) -> {Of("add", "max", "mean", "mul", "stack", "concat")}",
            10 => $"Residual(slice(0, {size}, axis: {axis}) -> {Of(Pointwise)})",
            11 => $"maxout({Of(1, 2, 3)})",
            12 => "flatten",
            _ => Of(Pointwise),
        };
    }

    private string Vector(IReadOnlyList<int> shape) => Of($"dense({Of(Channels)}, bias: {Truth})", $"dense({Of(Channels)}, parametrize: {Of("weight_norm", "spectral_norm")})", "batchnorm", $"layernorm(eps: 0.1, affine: {Truth})");

    private string Rows(IReadOnlyList<int> shape) => random.Next(8) switch
    {
        0 => $"dense({Of(Channels)}, bias: {Truth})",
        1 => $"attention({Of(1, 2, 3)}, bias: {Truth})",
        2 => $"{Of("lstm", "gru", "rnn")}({Of(1, 2, 3, 5)}, layers: {Of(1, 1, 2)}, bidirectional: {Truth}, bias: {Truth})",
        3 => $"layernorm(eps: 0.1, affine: {Truth})",
        4 => $"rmsnorm(eps: 0.1, affine: {Truth})",
        5 => $"positional_encoding(base: {Of(10, 10000)})",
        6 => "Product",
        _ => "transpose",
    };

    private string Spatial(IReadOnlyList<int> shape)
    {
        var axes = shape.Count - 1;
        var window = $"{Dims(axes, 4)}, stride: {Dims(axes, 3)}";
        var pad = Of("", "", ", pad: same", ", pad: full", $", pad: {Dims(axes, 3, 0)}");
        var dilation = random.Next(3) == 0 ? $", dilation: {Dims(axes, 3)}" : "";
        var groups = random.Next(3) == 0 ? $", groups: {Of(2, 3, shape[0])}" : "";
        return random.Next(12) switch
        {
            0 or 1 or 2 => $"conv({Of(Channels)}, {window}{pad}{dilation}{groups}, bias: {Truth}, pad_mode: {Of("zeros", "zeros", "reflect", "symmetric", "replicate", "circular", "partial")}, flip: {Truth})",
            3 => $"conv({Of(Channels)}, {window}{dilation}, causal: true, parametrize: {Of("none", "weight_norm", "spectral_norm")})",
            4 => $"depthwise({window}{pad}{dilation}, multiplier: {Of(1, 2, 3)}, bias: {Truth})",
            5 => $"separable({Of(Channels)}, {window}{pad}, bias: {Truth})",
            6 or 7 => $"upconv({Of(Channels)}, {window}, pad: {Dims(axes, 2, 0)}, output_pad: {Dims(axes, 2, 0)}{dilation}{groups}, bias: {Truth})",
            8 => $"locally_connected({Of(1, 2, 3)}, {window}{pad}{dilation}, bias: {Truth})",
            9 => $"unfold({Dims(axes, 3)}, stride: {Dims(axes, 2)}{dilation})",
            10 => $"conv({Of(Channels)}, 1, bias: {Truth})",
            _ => $"filter({string.Join('x', Enumerable.Repeat(2, axes))}, [{string.Join(", ", Enumerable.Range(0, 2 << axes).Select(i => i % 3 - 1))}]{pad})",
        };
    }

    /// <summary>Pooling, resampling and padding.</summary>
    private string Space(IReadOnlyList<int> shape)
    {
        var axes = shape.Count - 1;
        var window = $"{Dims(axes, 4)}, stride: {Dims(axes, 3)}";
        var pad = Of("", ", pad: same", ", pad: 1");
        return random.Next(12) switch
        {
            0 => $"maxpool({window}{pad}, ceil: {Truth}{(random.Next(3) == 0 ? $", dilation: {Dims(axes, 2)}" : "")})",
            1 => $"avgpool({window}{pad}, count_padding: {Truth}, ceil: {Truth})",
            2 => $"sumpool({window}{pad}, ceil: {Truth})",
            3 => $"adaptive_{Of("avg", "max")}pool({Dims(axes, 4)})",
            4 => $"lppool({Dims(axes, 3)}, p: {Of("1", "2", "3")}, ceil: {Truth})",
            5 => $"subsample({Dims(axes, 3)})",
            6 => $"resize({Dims(axes, 9)}, mode: {Of("nearest", "linear", "cubic")}, align_corners: {Truth})",
            7 => $"upsample({Dims(axes, 3)}, mode: {Of("nearest", "linear", "cubic")}, align_corners: {Truth})",
            8 => $"pad({Dims(axes, 3, 0)}, pad_mode: {Of("zeros", "reflect", "symmetric", "replicate", "circular")})",
            9 => $"maxpool({Dims(axes, 3)}, places: true) -> max_unpool({(axes == 1 ? $"{shape[1]}" : string.Join('x', shape.Skip(1)))})",
            10 => $"spatial_pyramid([{Of(1, 2, 3)}, 1], mode: {Of("max", "mean")})",
            _ => Of("global_avgpool", "global_maxpool", $"pad({Dims(axes, 2, 0)}, value: 0.5)"),
        };
    }

    private string Normalization(IReadOnlyList<int> shape) => random.Next(8) switch
    {
        0 => $"batchnorm(eps: 0.1, affine: {Truth}, momentum: {Of("0.1", "0.5", "1")})",
        1 => $"groupnorm({Of(1, 2, 3)}, eps: 0.1, affine: {Truth})",
        2 => $"instancenorm(eps: 0.1, affine: {Truth})",
        3 => $"layernorm(eps: 0.1, affine: {Truth})",
        4 => $"rmsnorm(eps: 0.1, affine: {Truth})",
        5 => $"local_response_norm({1 + random.Next(6)}, alpha: 0.5, beta: {Of("0.75", "1")}, k: 2)",
        _ => $"local_contrast_norm({Of(3, 5)}, across: {Truth}, eps: 0.1)",
    };

    private string Map(IReadOnlyList<int> shape) => Of(
        "tokens", "pixel_shuffle(2)", "pixel_unshuffle(2)", $"channel_shuffle({Of(2, 3)})", $"rows({Of(1, 2, 3)})",
        $"roi_align(boxes, {Dims(2, 3)}, samples: {Of(1, 2, 3)}, aligned: {Truth})", $"roi_pool(boxes, {Dims(2, 3)})", "Product");

    private string Truth => random.Next(2) == 0 ? "true" : "false";

    /// <summary>One size for all axes, or one each.</summary>
    private string Dims(int axes, int largest, int smallest = 1) => random.Next(2) == 0
        ? $"{random.Next(smallest, largest + 1)}"
        : $"[{string.Join(", ", Enumerable.Range(0, axes).Select(_ => random.Next(smallest, largest + 1)))}]";

    private T Of<T>(params T[] choices) => choices[random.Next(choices.Length)];
}
