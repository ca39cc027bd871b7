// Activations are formulas; gradient, fusion and vector code follow from them. Each is written so that training
// can keep its result instead of its input where the slope allows it.
using System.Collections.Immutable;
using ModelCompiler.Graph;
using static ModelCompiler.Operators.Formulas;

namespace ModelCompiler.Operators;

internal static class Activations
{
    /// <summary>Scale and slope of SELU: the fixed point of mean 0 and variance 1 (Klambauer et al., 2017).</summary>
    private const double SeluScale = 1.0507009873554804934193349852946;
    private const double SeluAlpha = 1.6732632423543772848170429916717;

    public static readonly ImmutableArray<Operator> All =
    [
        Fixed("relu", "max(0, x). Its slope at 0 is 0, as in PyTorch; some tables have 1.", "Nair and Hinton, Rectified linear units improve restricted Boltzmann machines, 2010", Max(X, 0)),
        Fixed("relu6", "min(max(0, x), 6). Its slope at 0 and at 6 is 0.", "Howard et al., MobileNets, 2017", Min(Max(X, 0), 6)),
        Fixed("tanh", "Hyperbolic tangent.", "", Tanh(X)),
        Fixed("sigmoid", "1 / (1 + e^-x).", "", Sigmoid(X)),
        Fixed("silu", "x sigmoid(x), also called swish.", "Ramachandran et al., Searching for activation functions, 2017", X * Sigmoid(X)),
        Fixed("mish", "x tanh(ln(1 + e^x)).", "Misra, Mish, 2019", X * Tanh(Softplus(X))),
        Fixed("softplus", "ln(1 + e^x).", "Glorot et al., Deep sparse rectifier neural networks, 2011", Softplus(X)),
        Fixed("softsign", "x / (1 + |x|).", "", X / (1 + Absolute(X))),
        Fixed("hardsigmoid", "min(max(0, x + 3), 6) / 6. Its slope at -3 and at 3 is 0.", "Howard et al., Searching for MobileNetV3, 2019", Min(Max(X + 3, 0), 6) / 6),
        Fixed("hardswish", "x min(max(0, x + 3), 6) / 6.", "Howard et al., Searching for MobileNetV3, 2019", X * (Min(Max(X + 3, 0), 6) / 6)),
        Fixed("selu", "ELU scaled so that layers keep mean 0 and variance 1.", "Klambauer et al., Self-normalizing neural networks, 2017", Elu(SeluAlpha, SeluScale)),
        Fixed("atan", "Arc tangent.", "", new UnaryFormula(UnaryFunction.Atan, X)),
        Fixed("step", "1 where x is at least 0, else 0; no gradient passes, not at 0 either, where there is no slope.", "McCulloch and Pitts, 1943", new BinaryFormula(BinaryFunction.GreaterOrEqual, X, 0)),
        Fixed("exp", "e^x.", "", Exp(X)),
        Fixed("log", "Natural logarithm.", "", new UnaryFormula(UnaryFunction.Log, X)),
        Fixed("sqrt", "Square root.", "", new UnaryFormula(UnaryFunction.SquareRoot, X)),
        Fixed("abs", "Absolute value; its slope at 0 is 0.", "", Absolute(X)),
        Fixed("sin", "Sine.", "", new UnaryFormula(UnaryFunction.Sin, X)),
        Fixed("cos", "Cosine.", "", new UnaryFormula(UnaryFunction.Cos, X)),
        Fixed("square", "x².", "", X * X),
        Fixed("neg", "-x.", "", -X),
        Definition.Unary(
            "leaky_relu",
            "x where positive, else slope x. At 0 its slope is that of negative x, as in PyTorch; some tables have 1.",
            "Maas et al., Rectifier nonlinearities improve neural network acoustic models, 2013",
            (call, x) => call.Builder.Pointwise(Select(Greater(X, 0), X, Number(call.Number("slope", 0.01)) * X), x),
            Argument.Number("slope", "slope for negative x", "0.01")),
        Definition.Unary(
            "elu",
            "x where positive, else alpha (e^x - 1). Its slope at 0 is alpha, as in PyTorch; some tables have 1.",
            "Clevert et al., Fast and accurate deep network learning by exponential linear units, 2016",
            (call, x) => call.Builder.Pointwise(Elu(call.Number("alpha", 1), 1), x),
            Argument.Number("alpha", "the limit for very negative x is -alpha", "1")),
        Definition.Unary(
            "gelu",
            "x Φ(x) with the normal distribution Φ.",
            "Hendrycks and Gimpel, Gaussian error linear units, 2016",
            (call, x) => call.Builder.Pointwise(call.Word("approximate", "none") == "tanh" ? GeluByTanh : Gelu, x),
            Argument.Word("approximate", "how Φ is computed", "none", "none", "tanh")),
        Definition.Unary(
            "prelu",
            "x where positive, else a trainable multiple of x. At 0 its slope is that of negative x, as in PyTorch; some tables have 1.",
            "He et al., Delving deep into rectifiers, 2015",
            BuildPrelu,
            Argument.Boolean("shared", "one slope for the whole layer instead of one for each channel", "false"),
            Argument.Initializer("init", "how the slopes start", "constant(0.25)")),
        Definition.Unary(
            "clamp",
            "x held between two numbers.",
            (call, x) => call.Builder.Pointwise(Min(Max(X, call.Number("low", 0)), call.Number("high", 1)), x),
            Argument.Number("low", "smallest result", "0"),
            Argument.Number("high", "largest result", "1")),
        Definition.Unary(
            "pow",
            "x raised to a fixed power.",
            (call, x) => call.Builder.Pointwise(new BinaryFormula(BinaryFunction.Power, X, Number(call.Number("exponent", 2))), x),
            Argument.Number("exponent", "the power", "2")),
        Definition.Unary("identity", "The input itself.", (_, x) => x),
    ];

    private static Expression Gelu => X * new UnaryFormula(UnaryFunction.NormalCdf, X);

    private static Expression GeluByTanh => 0.5 * X * (1 + Tanh(Math.Sqrt(2 / Math.PI) * (X + (0.044715 * (X * X * X)))));

    private static Operator Fixed(string name, string summary, string paper, Expression formula) =>
        Definition.Unary(name, summary, paper, (call, x) => call.Builder.Pointwise(formula, x));

    private static Expression Elu(double alpha, double scale) =>
        Select(Greater(X, 0), Multiply(scale, X), Multiply(scale * alpha, Exp(X) - 1));

    private static Node BuildPrelu(OperatorCall call, Node x)
    {
        var shared = call.Boolean("shared") || x.Shape.Rank == 0;
        var slope = call.Parameter("weight", Shape.Of(shared ? 1 : x.Shape.Channels), call.Initializer("init", Initializer.Constant(0.25)));
        var broadcast = shared ? call.Builder.Reshape(slope, Shape.Scalar) : call.Builder.AsChannels(slope, x.Shape.Rank);
        return call.Builder.Pointwise(Select(Greater(X, 0), X, Y * X), x, broadcast);
    }
}
