// The networks of the language's own pages, with the names and counts that PyTorch's versions have.
using ModelCompiler.Graph;
using static ModelCompiler.Tests.Evaluation.Evaluating;

namespace ModelCompiler.Tests.Evaluation;

public class ExampleTests
{
    private const string LeNet = """
        // LeNet-5 on 28x28 digits
        network LeNet5(classes = 10) {
            input image: 1x28x28
            target label: class

            logits = image
                -> conv(6, 5x5, pad: 2) -> tanh -> avgpool(2x2)
                -> conv(16, 5x5)        -> tanh -> avgpool(2x2)
                -> flatten
                -> dense(120) -> tanh
                -> dense(84)  -> tanh
                -> dense(classes)

            output probabilities = logits -> softmax
            loss cross_entropy(logits, label)
        }
        """;

    private const string ResNet = """
        block Basic(channels, stride = 1) {
            main = in -> conv1: conv(channels, 3x3, stride: stride, pad: 1, bias: false) -> bn1: batchnorm -> relu
                      -> conv2: conv(channels, 3x3, pad: 1, bias: false) -> bn2: batchnorm
            skip = if stride == 1 and in.channels == channels then in
                   else in -> downsample: (conv(channels, 1x1, stride: stride, bias: false) -> batchnorm)
            out main + skip -> relu
        }

        block Bottleneck(channels, stride = 1) {
            wide = 4 * channels
            main = in -> conv1: conv(channels, 1x1, bias: false) -> bn1: batchnorm -> relu
                      -> conv2: conv(channels, 3x3, stride: stride, pad: 1, bias: false) -> bn2: batchnorm -> relu
                      -> conv3: conv(wide, 1x1, bias: false) -> bn3: batchnorm
            skip = if stride == 1 and in.channels == wide then in
                   else in -> downsample: (conv(wide, 1x1, stride: stride, bias: false) -> batchnorm)
            out main + skip -> relu
        }

        network ResNet(unit, depths, classes = 1000) {
            input image: 3x224x224
            target label: class

            top = image
                -> conv1: conv(64, 7x7, stride: 2, pad: 3, bias: false) -> bn1: batchnorm -> relu
                -> maxpool(3x3, stride: 2, pad: 1)
                -> layer1: unit(64) * depths[0]
                -> layer2: (unit(128, stride: 2) -> unit(128) * (depths[1] - 1))
                -> layer3: (unit(256, stride: 2) -> unit(256) * (depths[2] - 1))
                -> layer4: (unit(512, stride: 2) -> unit(512) * (depths[3] - 1))

            output logits = top -> global_avgpool -> fc: dense(classes)
            loss cross_entropy(logits, label)
        }

        network ResNet18 = ResNet(Basic, [2, 2, 2, 2])
        network ResNet50 = ResNet(Bottleneck, [3, 4, 6, 3])
        """;

    [Fact]
    public void TheVisionTransformerOfTheLanguagesPageHasItsSize()
    {
        var graph = Network("""
            block Encoder(width, heads) {
                attended = in + (in -> layernorm -> attention(heads))
                out attended + (attended -> layernorm -> dense(4 * width) -> gelu -> dense(width))
            }
            network ViT(patch = 16, width = 768, depth = 12, heads = 12, classes = 1000) {
                input image: 3x224x224
                parameter token: [1, width], init: zeros
                patches = image -> conv(width, patch, stride: patch) -> tokens           // 196 x 768
                sequence = concat(token, patches, axis: 0)
                parameter position: [sequence.shape[0], width], init: normal(0.02)
                encoded = sequence + position -> Encoder(width, heads) * depth -> layernorm
                output logits = encoded[0] -> dense(classes)
            }
            """);
        Assert.Equal(86_567_656, ParameterCount(graph));
        Assert.Contains("encoder12.attention1.in_proj_weight", ParameterNames(graph));
    }

    [Fact]
    public void LeNet5HasItsNamesShapesAndCounts()
    {
        var graph = Network(LeNet);
        Assert.Equal(61_706, ParameterCount(graph));
        Assert.Equal("10", OutputShape(graph));
        Assert.NotNull(graph.Loss);
        Assert.Equal(
            """
            conv1 conv(6, 5x5, pad: 2) : 6x28x28, 156 parameters
            tanh1 tanh() : 6x28x28
            avgpool1 avgpool(2x2) : 6x14x14
            conv2 conv(16, 5x5) : 16x10x10, 2416 parameters
            tanh2 tanh() : 16x10x10
            avgpool2 avgpool(2x2) : 16x5x5
            flatten1 flatten() : 400
            dense1 dense(120) : 120, 48120 parameters
            tanh3 tanh() : 120
            dense2 dense(84) : 84, 10164 parameters
            tanh4 tanh() : 84
            dense3 dense(10) : 10, 850 parameters
            softmax1 softmax() : 10
            cross_entropy1 cross_entropy() : scalar

            """, GraphText.WriteLayers(graph), ignoreLineEndingDifferences: true);
    }

    [Fact]
    public void ResNetsHaveTorchvisionsNamesAndCounts()
    {
        var file = File(ResNet);
        Assert.Empty(file.Diagnostics.Where(diagnostic => diagnostic.Severity == Grammar.Severity.Error));
        Assert.Equal(["ResNet18", "ResNet50"], file.Networks.Select(network => network.Name));
        Assert.Equal(11_689_512, ParameterCount(file.Networks[0]));
        Assert.Equal(25_557_032, ParameterCount(file.Networks[1]));
        var names = ParameterNames(file.Networks[0]);
        Assert.Equal(102, names.Length);
        foreach (var name in new[] { "conv1.weight", "bn1.running_mean", "layer1.0.conv1.weight", "layer2.0.downsample.0.weight", "layer2.0.downsample.1.running_var", "layer4.1.bn2.bias", "fc.weight" })
        {
            Assert.Contains(name, names);
        }

        Assert.Contains("layer3.5.conv3.weight", ParameterNames(file.Networks[1]));
    }
}
