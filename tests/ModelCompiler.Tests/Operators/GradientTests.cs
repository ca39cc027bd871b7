// Every differentiable operator against finite differences, over odd shapes: one channel, 1x1 and 1xN planes, strides
// beyond the size, groups, dilation, uneven padding; one, two and three spatial axes; batches of 1 and 5.
using ModelCompiler.Graph;
using ModelCompiler.Tests.Oracle;

namespace ModelCompiler.Tests.Operators;

public class GradientTests
{
    private static readonly int[][] Maps = [[1, 1, 1], [3, 7, 7], [17, 1, 5], [2, 4, 3]];

    [Theory]
    [InlineData(1, "1,7,7", 3, "3", "1", "0", "1", 1)]
    [InlineData(5, "3,7,7", 17, "3", "2", "1", "1", 1)]
    [InlineData(2, "3,1,1", 5, "1", "1", "0", "1", 1)]
    [InlineData(1, "17,1,5", 3, "1,3", "1,2", "0,1", "1", 1)]
    [InlineData(2, "4,5,6", 6, "3,2", "1", "same", "1", 2)]
    [InlineData(1, "6,7,7", 6, "3", "1", "2", "2", 6)]
    [InlineData(2, "3,4,4", 2, "2", "7", "0", "1", 1)]
    [InlineData(1, "3,5,5", 4, "4", "1", "same", "1", 1)]
    [InlineData(2, "2,4,4", 3, "3", "1", "full", "1", 1)]
    [InlineData(2, "3,9", 4, "3", "2", "1", "1", 1)]
    [InlineData(1, "2,16", 2, "3", "1", "4", "4", 2)]
    [InlineData(1, "2,3,4,3", 3, "2,3,2", "1,2,1", "1,1,0", "1", 1)]
    public void Convolution(int batch, string shape, int channels, string kernel, string stride, string pad, string dilation, int groups)
    {
        var network = new TestNetwork();
        var x = network.Input("x", Numbers(shape));
        var y = network.Apply(
            "conv", x, ("channels", channels), ("kernel", Dims(kernel)), ("stride", Dims(stride)), ("pad", Dims(pad)), ("dilation", Dims(dilation)), ("groups", groups));
        FiniteDifferences.CheckOutput(network, y, batch);
    }

    /// <summary>Normalized 1x1 convolutions that widen their input, whose gradient does without that of the normalization, and others beside them.</summary>
    [Theory]
    [InlineData(1, "1,8,8", 6, "1", 1, true)]
    [InlineData(5, "3,13,16", 19, "1", 0, false)]
    [InlineData(2, "4,257", 25, "1", 0, true)]
    [InlineData(2, "2,5,3,9", 12, "1", 0, true)]
    [InlineData(2, "3,4,3", 17, "1", 1, true)]
    [InlineData(2, "2,5,5", 8, "3", 2, true)]
    public void NormalizedConvolution(int batch, string shape, int channels, string kernel, int more, bool affine)
    {
        var network = new TestNetwork();
        var x = network.Apply("tanh", network.Input("x", Numbers(shape)));
        var y = network.Apply("batchnorm", network.Apply("conv", x, ("channels", channels), ("kernel", Dims(kernel)), ("bias", false)), ("affine", affine));
        for (var i = 0; i < more; i++)
        {
            y = network.Apply("batchnorm", network.Apply("conv", network.Apply("sigmoid", y), ("channels", 5 * channels), ("kernel", Dims("1")), ("bias", false)));
        }

        FiniteDifferences.CheckOutput(network, y, batch);
    }

    [Theory]
    [InlineData(1, "3,4,4", 5, "3", "2", "1", "1", "1", 1)]
    [InlineData(5, "1,1,1", 2, "2", "2", "0", "0", "1", 1)]
    [InlineData(2, "4,3,2", 6, "3,2", "1", "0", "0", "2,1", 2)]
    [InlineData(1, "2,5", 3, "4", "3", "1", "2", "1", 1)]
    [InlineData(1, "2,2,2,2", 2, "2", "2", "0", "0", "1", 1)]
    public void TransposedConvolution(
        int batch, string shape, int channels, string kernel, string stride, string pad, string outputPad, string dilation, int groups)
    {
        var network = new TestNetwork();
        var x = network.Input("x", Numbers(shape));
        var y = network.Apply(
            "upconv",
            x,
            ("channels", channels),
            ("kernel", Dims(kernel)),
            ("stride", Dims(stride)),
            ("pad", Dims(pad)),
            ("output_pad", Dims(outputPad)),
            ("dilation", Dims(dilation)),
            ("groups", groups));
        FiniteDifferences.CheckOutput(network, y, batch);
    }

    [Theory]
    [InlineData("maxpool", 5, "3,7,7", "3", "2", "1")]
    [InlineData("maxpool", 1, "17,1,5", "1,2", "1", "0")]
    [InlineData("maxpool", 2, "1,8", "2", "3", "1")]
    [InlineData("maxpool", 1, "2,4,3,5", "2", "1", "same")]
    [InlineData("avgpool", 5, "3,7,7", "3", "2", "1")]
    [InlineData("avgpool", 2, "1,1,1", "1", "1", "0")]
    [InlineData("avgpool", 1, "2,4,3,5", "2", "2", "1")]
    [InlineData("sumpool", 1, "2,6", "3", "2", "0")]
    public void Pooling(string name, int batch, string shape, string kernel, string stride, string pad)
    {
        var network = new TestNetwork();
        var x = network.Input("x", Numbers(shape));
        FiniteDifferences.CheckOutput(network, network.Apply(name, x, ("kernel", Dims(kernel)), ("stride", Dims(stride)), ("pad", Dims(pad))), batch);
    }

    [Fact]
    public void AveragePoolingWithoutPadding()
    {
        var network = new TestNetwork();
        var y = network.Apply("avgpool", network.Input("x", 3, 5, 4), ("kernel", 3), ("stride", 2), ("pad", 1), ("count_padding", false));
        FiniteDifferences.CheckOutput(network, y, batch: 2);
    }

    [Theory]
    [InlineData("global_avgpool")]
    [InlineData("global_maxpool")]
    [InlineData("upsample")]
    [InlineData("batchnorm")]
    [InlineData("layernorm")]
    [InlineData("rmsnorm")]
    [InlineData("softmax")]
    [InlineData("log_softmax")]
    [InlineData("dropout")]
    [InlineData("relu")]
    [InlineData("relu6")]
    [InlineData("leaky_relu")]
    [InlineData("prelu")]
    [InlineData("tanh")]
    [InlineData("sigmoid")]
    [InlineData("silu")]
    [InlineData("mish")]
    [InlineData("softplus")]
    [InlineData("softsign")]
    [InlineData("hardsigmoid")]
    [InlineData("hardswish")]
    [InlineData("selu")]
    [InlineData("elu")]
    [InlineData("gelu")]
    [InlineData("atan")]
    [InlineData("step")]
    [InlineData("exp")]
    [InlineData("abs")]
    [InlineData("sin")]
    [InlineData("cos")]
    [InlineData("square")]
    [InlineData("neg")]
    [InlineData("pow")]
    [InlineData("clamp")]
    [InlineData("flatten")]
    [InlineData("identity")]
    public void WithoutArguments(string name)
    {
        foreach (var shape in Maps)
        {
            foreach (var batch in new[] { 1, 5 })
            {
                var network = new TestNetwork();

                // Batch statistics of a single number have no slope worth measuring.
                var single = name == "batchnorm" && batch * shape[1] * shape[2] == 1;
                FiniteDifferences.CheckOutput(network, network.Apply(name, network.Input("x", single ? [2, 2, 2] : shape)), batch);
            }
        }
    }

    [Theory]
    [InlineData("log")]
    [InlineData("sqrt")]
    public void PositiveOnly(string name)
    {
        var network = new TestNetwork();
        FiniteDifferences.CheckOutput(network, network.Apply(name, network.Input("x", 3, 4)), batch: 2, (_, random) => 0.5 + random.NextDouble());
    }

    [Theory]
    [InlineData("7")]
    [InlineData("17,1,1")]
    [InlineData("5,3")]
    public void Dense(string shape)
    {
        var network = new TestNetwork();
        FiniteDifferences.CheckOutput(network, network.Apply("dense", network.Input("x", Numbers(shape)), ("features", 4)), batch: 3);
    }

    [Fact]
    public void VariantsByArgument()
    {
        Check("gelu", [3, 4], ("approximate", "tanh"));
        Check("groupnorm", [6, 3, 2], ("groups", 3));
        Check("instancenorm", [3, 4, 4], ("affine", true));
        Check("batchnorm", [5], ("affine", false));
        Check("layernorm", [4, 6]);
        Check("layernorm", [7]);
        Check("softmax", [4, 6], ("axis", -1), ("temperature", 2.5));
        Check("prelu", [3, 4], ("shared", true));
        Check("depthwise", [3, 5, 5], ("kernel", 3), ("pad", 1), ("multiplier", 2));
        Check("reshape", [3, 4], ("shape", new[] { 2, 6 }));
        Check("slice", [5, 4], ("start", 1), ("count", 3));
        Check("slice", [5, 4], ("axis", -1), ("start", 2));
        Check("pad", [2, 3, 3], ("amount", new[] { 1, 2 }));
        Check("upsample", [2, 3, 2], ("factor", new[] { 3, 1 }));
        Check("maxpool", [2, 6, 6], ("kernel", 3), ("stride", 2), ("ceil", true));
        Check("conv", [2, 5], ("channels", 2), ("kernel", 3), ("dilation", 2), ("causal", true));
        Check("conv", [2, 5, 4], ("channels", 2), ("kernel", new[] { 3, 2 }), ("flip", true));
        Check("conv", [3, 4, 4], ("channels", 2), ("kernel", 3), ("connections", new double[][] { [0, 2], [1] }));
        Check("pad", [2, 3, 4], ("amount", 2), ("pad_mode", "reflect"));
        Check("resize", [2, 3, 4], ("size", new[] { 5, 3 }), ("mode", "cubic"));
        Check("subsample", [3, 4, 4], ("kernel", 2));
        Check("lppool", [3, 4, 4], ("kernel", 2), ("p", 3.5));
        Check("transpose", [2, 3, 4]);
        Check("permute", [2, 3, 4], ("order", new double[] { 2, 0, 1 }));
        Check("tokens", [3, 2, 4]);
        Check("rows", [6, 2, 3], ("features", 3));
        Check("pixel_shuffle", [8, 2, 3], ("factor", 2));
        Check("channel_shuffle", [6, 2, 2], ("groups", 3));
        Check("reduce_sum", [3, 4, 2], ("axes", new double[] { -1, 0 }), ("keep", false));
        Check("reduce_mean", [3, 4, 2], ("axes", new double[] { 1 }));
        Check("reduce_max", [3, 4, 2]);
        Check("attention", [5, 6], ("heads", 2));
        Check("maxpool", [2, 7], ("kernel", 2), ("stride", 1), ("dilation", 3));
        Check("topk", [3, 5], ("k", 2), ("axis", 1));
        Check("index_select", [4, 3], ("places", new double[] { 3, 0, 0 }));
        Check("locally_connected", [2, 4, 3], ("channels", 3), ("kernel", 2), ("stride", 2), ("pad", 1));
        Check("unfold", [2, 5], ("kernel", 3), ("dilation", 2));
        Check("filter", [2, 4, 3], ("kernel", 2), ("filters", new double[] { 1, -1, 2, 0, 0, 3, 1, 1 }));
        Check("conv", [2, 4, 3], ("channels", 3), ("kernel", 3), ("pad", 1), ("pad_mode", "partial"));
        Check("conv", [2, 4, 3], ("channels", 3), ("kernel", 2), ("parametrize", "weight_norm"));
        Check("pad", [2, 3], ("amount", 2), ("pad_mode", "symmetric"));
        Check("pad", [2, 3], ("amount", 2), ("value", 1.5));
        Check("spatial_pyramid", [2, 5, 4], ("levels", new double[] { 3, 1 }));
        Check("maxout", [6, 2], ("pieces", 3));
        Check("local_contrast_norm", [3, 5, 4], ("size", 3));
        Check("local_contrast_norm", [2, 6], ("size", 5), ("across", false));
        Check("positional_encoding", [4, 5]);
        Check("pixel_unshuffle", [2, 4, 2]);
        Check("rnn", [4, 3], ("features", 2), ("bidirectional", true));
        Check("lstm", [4, 3], ("features", 2), ("layers", 2));
        Check("gru", [4, 3], ("features", 2));
        Check("gru", [3, 2], ("features", 3), ("bias", false), ("bidirectional", true));

        static void Check(string name, int[] shape, params (string, object)[] arguments)
        {
            var network = new TestNetwork();
            FiniteDifferences.CheckOutput(network, network.Apply(name, network.Input("x", shape), arguments), batch: 4);
        }
    }

    [Theory]
    [InlineData("add", "3,4,4", "3,4,4")]
    [InlineData("add", "3,4,4", "3")]
    [InlineData("sub", "3,4,4", "1,4,4")]
    [InlineData("mul", "3,4,4", "3,1,1")]
    [InlineData("mul", "3", "3,4,4")]
    [InlineData("mul", "4,6", "6")]
    [InlineData("div", "3,4", "3,4")]
    [InlineData("max", "3,4", "3,4")]
    [InlineData("min", "3,4", "1,4")]
    [InlineData("mean", "3,4", "3,4")]
    [InlineData("concat", "3,4", "2,4")]
    [InlineData("stack", "3,4", "3,4")]
    [InlineData("matmul", "2,3,4", "2,4,5")]
    public void TwoInputs(string name, string left, string right)
    {
        var network = new TestNetwork();
        var y = network.Apply(name, [network.Input("x", Numbers(left)), network.Input("y", Numbers(right))]);
        FiniteDifferences.CheckOutput(network, y, batch: 3, (_, random) => 0.5 + random.NextDouble());
    }

    [Theory]
    [InlineData(false, false, "2,3,4", "2,4,5")]
    [InlineData(true, false, "2,4,3", "2,4,5")]
    [InlineData(false, true, "3,4", "5,4")]
    [InlineData(true, true, "4,3", "5,4")]
    public void MatrixProducts(bool transposeLeft, bool transposeRight, string left, string right)
    {
        var network = new TestNetwork();
        var y = network.Builder.Add(
            ModelCompiler.Operators.Primitives.MatrixProduct,
            new ModelCompiler.Operators.MatrixProductAttributes(transposeLeft, transposeRight),
            network.Input("x", Numbers(left)),
            network.Input("y", Numbers(right)));
        FiniteDifferences.CheckOutput(network, y, batch: 2);
    }

    [Fact]
    public void AnInputUsedTwiceCollectsBothGradients()
    {
        var network = new TestNetwork();
        var x = network.Input("x", 3, 2);
        FiniteDifferences.CheckOutput(network, network.Apply("mul", [x, network.Apply("tanh", x), x]), batch: 2);
    }

    [Fact]
    public void ParametersMeetTheBatch()
    {
        var network = new TestNetwork();
        var token = network.Builder.Add(
            ModelCompiler.Operators.Primitives.Parameter, new ParameterAttributes("token", Shape.Of(1, 4), Initializer.Constant(0), Trainable: true));
        var joined = network.Apply("concat", [token, network.Input("x", 3, 4)]);
        FiniteDifferences.CheckOutput(network, network.Apply("mul", [joined, token]), batch: 3);
    }

    [Theory]
    [InlineData("5")]
    [InlineData("5,1,1")]
    [InlineData("3,4,2")]
    public void CrossEntropyOfClasses(string shape)
    {
        var logits = Numbers(shape);
        var network = new TestNetwork();
        var x = network.Input("x", logits);
        var label = network.ClassTarget("label", shape == "5,1,1" ? [] : logits[1..]);
        var loss = network.Apply("cross_entropy", [x, label]);
        FiniteDifferences.Check(network.Graph(x, loss), batch: 3, (node, random) =>
            node.Attributes is InputAttributes { IsClass: true } ? random.Next(logits[0]) : FiniteDifferences.Normal(node, random));
    }

    [Theory]
    [InlineData("cross_entropy")]
    [InlineData("mse")]
    [InlineData("l1")]
    [InlineData("smooth_l1")]
    [InlineData("binary_cross_entropy")]
    [InlineData("hinge")]
    [InlineData("dice")]
    [InlineData("focal")]
    [InlineData("info_nce")]
    public void Losses(string name)
    {
        var network = new TestNetwork();
        var x = network.Input("x", 4, 3);
        var loss = network.Apply(name, [network.Apply("tanh", x), network.Target("target", 4, 3)]);

        // Dice divides by sums of masks, which are positive.
        FiniteDifferences.Check(network.Graph(x, loss), batch: 5, name == "dice" ? (_, random) => 0.5 + random.NextDouble() : null);
    }

    [Fact]
    public void RegionsAndPlaces()
    {
        // Boxes and places are data: their slope is 0 by decree, so only the features are probed.
        foreach (var (name, places) in new[] { ("roi_align", new[] { 2, 4 }), ("roi_pool", [2, 4]), ("gather", [3, 6, 2]) })
        {
            var network = new TestNetwork();
            var x = network.Input("x", 3, 6, 5);
            var features = name == "gather" ? network.Apply("slice", x, ("axis", 2), ("count", 2)) : x;
            var where = network.Target("where", places);
            var y = network.Apply(name, [features, where], name == "gather" ? [("axis", 1)] : [("size", 2)]);
            FiniteDifferences.CheckOutput(network, y, batch: 3, (node, random) =>
                node != where ? FiniteDifferences.Normal(node, random) : name == "gather" ? random.Next(6) : random.Next(17) / 4.0);
        }
    }

    [Fact]
    public void SpectralNormHoldsItsVectors()
    {
        // u and v take a step in the forward pass, so the slope of the loss is not the gradient, which holds them fixed; from where
        // the power method has converged they no longer move.
        var network = new TestNetwork();
        var y = network.Apply("dense", network.Input("x", 3), ("features", 1), ("parametrize", "spectral_norm"));
        FiniteDifferences.CheckOutput(network, y, batch: 2);
    }

    private static int[] Numbers(string text) => text.Split(',').Select(int.Parse).ToArray();

    /// <summary>A word, one number, or one for each axis.</summary>
    private static object Dims(string text) => char.IsLetter(text[0]) ? text : text.Contains(',') ? Numbers(text) : int.Parse(text);
}
