// What is concatenated along channels is written in place by whoever computes it: which copies are left, and that results are
// those of the oracle at odd sizes, with halos, in chains, and where a value cannot lie in place.
using System.Text.RegularExpressions;
using ModelCompiler.Kernels;
using ModelCompiler.Planning;
using ModelCompiler.Tests.Kernels;

namespace ModelCompiler.Tests.Emission;

public class ConcatPlacesTests
{
    private const string Grow = "block Grow(k) { out concat(in, in -> batchnorm -> relu -> conv(k, 3x3, pad: 1, bias: false)) }\n";

    /// <summary>Input, statements up to 'joined', and how many values are still copied.</summary>
    public static readonly TheoryData<string, string, int> Networks = new()
    {
        // A dense block is one buffer; its last value may end inside a block of channels.
        { "3x7x5", "x = image -> conv(32, 3x3, pad: 1) -> relu -> Grow(16) * 3\n joined = x -> Grow(17)", 0 },

        // Neither 97 channels nor what follows them fit a block.
        { "3x7x5", "x = image -> conv(32, 3x3, pad: 1) -> Grow(16) * 3 -> Grow(17)\n joined = concat(x, x -> maxpool(3x3, stride: 1, pad: 1), image -> conv(16, 1x1))", 3 },

        // A skip connection is read by others too, and the halo of the whole becomes its own.
        { "3x8x6", "skip = image -> conv(16, 3x3, pad: 1) -> relu\n deep = skip -> maxpool(2x2) -> conv(32, 3x3, pad: 1) -> upconv(16, 2x2, stride: 2)\n joined = concat(skip, deep) -> conv(18, 5x5, pad: 2)", 0 },

        // The same value twice, and in two wholes.
        { "3x1x1", "a = image -> conv(16, 1x1)\n joined = concat(a, a)", 2 },
        { "3x7x7", "a = image -> conv(16, 3x3, pad: 1)\n b = image -> conv(32, 1x1) -> tanh\n joined = concat(concat(a, a), concat(a, b), concat(b, a))", 4 },

        // One axis and three; an input is where the caller wrote it.
        { "16x15", "joined = concat(image, image -> conv(3, 5, pad: 2))", 1 },
        { "2x4x5x6", "joined = concat(image -> conv(16, 3x3x3, pad: 1), image -> maxpool(3x3x3, stride: 1, pad: 1))", 0 },

        // Rows rather than channels.
        { "16x4x5", "joined = concat(image -> conv(16, 1x1), image -> conv(16, 3x3, pad: 1), axis: 1)", 2 },

        // A formula over the caller's input stays in the caller's layout.
        { "16x1x7", "joined = concat(image -> relu, image -> conv(16, 1x1))", 1 },
    };

    [Theory]
    [MemberData(nameof(Networks))]
    public void AgreeWithTheOracle(string shape, string body, int copies)
    {
        var text = $"{Grow}network Net {{\n input image: {shape}\n target label: class\n {body}\n output joined\n logits = joined -> relu -> flatten -> dense(5)\n output logits\n loss cross_entropy(logits, label)\n}}\n";
        var compiled = new CompiledText(text);
        Assert.Equal(copies, Planner.ForInference(compiled.Graph).Steps.Count(s => s.Kernel is CopyKernel && Regex.IsMatch(s.Name, "_concat(_[0-9]+)?$")));
        foreach (var batch in new[] { 1, 5 })
        {
            OracleComparison.Run(compiled, batch);
        }
    }

    [Fact]
    [OnEveryHardware]
    public void AgreeOnThisHardware()
    {
        foreach (var row in Networks.Take(3))
        {
            AgreeWithTheOracle((string)row[0], (string)row[1], (int)row[2]);
        }
    }
}
