// Emitted code stays small: its size is what a build waits for, in the C# compiler and in the JIT. The limit is 25,000 lines for a
// network of two hundred layers, inference and training together; what is above it is listed.
namespace ModelCompiler.Tests.Emission;

internal static class LineBudget
{
    private const int Limit = 25_000;

    /// <summary>Lines of networks whose layers share little: many kernel sizes, many planes, or formulas of their own for each; or whose products come in two ways.</summary>
    private static readonly Dictionary<string, int> Larger = new()
    {
        ["replknet31b.cnn"] = 104_000, ["fcn32s.cnn"] = 94_500, ["hrnet_w32.cnn"] = 46_500, ["swin_t.cnn"] = 51_000, ["slowfast_4x16_r50.cnn"] = 48_000,
        ["mobilenet_v3_large.cnn"] = 48_500, ["efficientnet_b0.cnn"] = 50_000, ["stacked_hourglass.cnn"] = 44_000, ["mobilenet_v3_small.cnn"] = 44_000,
        ["inception_v3.cnn"] = 43_000, ["fcn16s.cnn"] = 39_000, ["se_resnet50.cnn"] = 33_500, ["resnet152.cnn"] = 33_000, ["googlenet.cnn"] = 30_000, ["resnet101.cnn"] = 30_500,
        ["faster_rcnn_resnet50_fpn.cnn"] = 46_500, ["retinanet_resnet50_fpn.cnn"] = 46_000, ["rpn_resnet50_fpn.cnn"] = 38_500, ["ssd300_vgg16.cnn"] = 39_500,
        ["fcn_resnet50.cnn"] = 26_000, ["resnext50_32x4d.cnn"] = 25_500, ["deeplabv3_resnet50.cnn"] = 32_000, ["r2plus1d_18.cnn"] = 28_000, ["non_local_resnet50.cnn"] = 30_000,
        ["wide_resnet50_2.cnn"] = 28_000, ["shufflenet_v2_x1_0.cnn"] = 26_000, ["mnasnet1_0.cnn"] = 41_000, ["regnet_y_400mf.cnn"] = 46_000, ["yolo_v3.cnn"] = 27_500, ["fcn8s.cnn"] = 25_500,
    };

    /// <summary>Networks that benchmarks name, at what they take.</summary>
    private static readonly Dictionary<string, int> Known = new()
    {
        ["lenet5.cnn"] = 7_600, ["resnet18.cnn"] = 22_000, ["resnet50.cnn"] = 28_000, ["mobilenet_v2.cnn"] = 30_000, ["densenet121.cnn"] = 21_000, ["densenet201.cnn"] = Limit,
    };

    public static int Of(string file) => Known.TryGetValue(file, out var known) ? known : Larger.GetValueOrDefault(file, Limit);
}
