// Every loss, emitted, against the oracle: on vectors and on maps, with classes and with real targets.
namespace ModelCompiler.Tests.Emission;

public class EmittedLossTests
{
    /// <summary>Shape of the input, stages from it to 'y', shape of the target 'wanted', and the loss.</summary>
    public static readonly TheoryData<string, string, string, string> Losses = new()
    {
        { "4x3x2", "image -> conv(5, 1x1)", "[class, 3, 2]", "cross_entropy(y, wanted, label_smoothing: 0.1)" },
        { "7", "image -> dense(5)", "5", "cross_entropy(y, wanted, label_smoothing: 0.2)" },
        { "18x3", "image -> conv(17, 3, pad: 1) -> log_softmax", "[class, 3]", "nll(y, wanted)" },
        { "7", "image -> dense(19)", "class", "multi_margin(y, wanted, margin: 0.5)" },
        { "3x6x5", "image -> conv(2, 3x3) -> sigmoid", "2x4x3", "dice(y, wanted, smooth: 0.5)" },
        { "4x3", "image -> dense(6)", "4x6", "mse(y, wanted) + 0.5 * l1(y, wanted) + hinge(y, wanted)" },
        { "4x3x2", "image -> conv(5, 1x1)", "[class, 3, 2]", "cross_entropy(y, wanted, ignore_index: 255, weights: [1, 2, 0.5, 1, 3], label_smoothing: 0.1)" },
        { "4x3x2", "image -> conv(5, 1x1)", "[class, 3, 2]", "cross_entropy(y, wanted, ignore_index: 2, reduction: sum)" },
        { "4x3x2", "image -> conv(3, 1x1)", "3x3x2", "cross_entropy(y, wanted, weights: [1, 2, 0.5], label_smoothing: 0.1)" },
        { "18x3", "image -> conv(17, 3, pad: 1) -> log_softmax", "[class, 3]", "nll(y, wanted, ignore_index: -100)" },
        { "7", "image -> dense(4)", "class", "multi_margin(y, wanted, p: 2, weights: [1, 2, 0.5, 1])" },
        { "3x4x4", "image -> conv(5, 3x3)", "5x2x2", "focal(y, wanted) + focal(y, wanted, gamma: 1.5, alpha: 0.6, reduction: sum)" },
        { "3x4x4", "image -> conv(3, 3x3)", "3x2x2", "binary_cross_entropy(y, wanted, positive_weights: [1, 3, 0.5])" },
        { "3x4x4", "image -> conv(3, 3x3)", "3x2x2", "total(wanted * smooth_l1(y, wanted, reduction: none), reduction: sum) / total(wanted, reduction: sum) + mse(y, wanted, reduction: sum)" },
        { "6x7", "image -> dense(9)", "6x9", "info_nce(y, wanted) + info_nce(y, wanted, temperature: 2, normalize: false, reduction: sum)" },
        { "3x5x5", "image -> conv(18, 3x3)", "18x3x3", "smooth_l1(y, wanted, beta: 0.5) + 0.1 * binary_cross_entropy(y, wanted)" },
    };

    [Theory]
    [MemberData(nameof(Losses))]
    public void AgreeWithTheOracle(string shape, string body, string target, string loss)
    {
        var compiled = new CompiledText($"network Net {{\n input image: {shape}\n target wanted: {target}\n y = {body}\n output y\n loss {loss}\n}}\n");
        foreach (var batch in new[] { 1, 5 })
        {
            OracleComparison.Run(compiled, batch);
        }
    }
}
