// The networks that compare.py knows, by the names of their files. Each has its own small method, so that a process loads, compiles and keeps
// only the class that it runs, as an application would; and nothing is looked up by name at run time, which Native AOT could not follow.
using ModelCompiler.Runtime;

namespace ModelCompiler.Peers;

internal static class Zoo
{
    /// <summary>Makes a network for batch 1.</summary>
    /// <exception cref="ArgumentException">There is none of that name.</exception>
    public static InferenceNetwork Inference(string name, int threads) => Find(name)(threads);

    /// <summary>Makes a network that learns.</summary>
    /// <exception cref="ArgumentException">There is none of that name that has a loss.</exception>
    public static TrainingNetwork Training(string name, int batch, int threads, Optimizer optimizer, ulong seed)
    {
        Func<int, int, Optimizer, ulong, TrainingNetwork> make = name switch
        {
            "cifar_vgg" => static (b, t, o, s) => new CifarVGG.Training(b, t, null, o, s),
            "lenet5" => static (b, t, o, s) => new LeNet5.Training(b, t, null, o, s),
            "mobilenet_v2_steady" => static (b, t, o, s) => new MobileNetV2Steady.Training(b, t, null, o, s),
            "resnet18" => static (b, t, o, s) => new ResNet18.Training(b, t, null, o, s),
            "unet" => static (b, t, o, s) => new UNet.Training(b, t, null, o, s),
            _ => throw new ArgumentException($"no network that learns is called '{name}'."),
        };
        return make(batch, threads, optimizer, seed);
    }

    private static Func<int, InferenceNetwork> Find(string name) => name switch
    {
        "alexnet" => static t => new AlexNet(1, t),
        "cifar_vgg" => static t => new CifarVGG(1, t),
        "convnext_tiny" => static t => new ConvNeXtTiny(1, t),
        "densenet121" => static t => new DenseNet121(1, t),
        "efficientnet_b0" => static t => new EfficientNetB0(1, t),
        "fcn_resnet50_256" => static t => new FCNResNet50_256(1, t),
        "googlenet" => static t => new GoogLeNet(1, t),
        "inception_v3" => static t => new InceptionV3(1, t),
        "lenet5" => static t => new LeNet5(1, t),
        "mnasnet1_0" => static t => new MnasNet10(1, t),
        "mobilenet_v2" => static t => new MobileNetV2(1, t),
        "mobilenet_v3_large" => static t => new MobileNetV3Large(1, t),
        "r3d_18" => static t => new R3D18(1, t),
        "regnet_y_400mf" => static t => new RegNetY400MF(1, t),
        "resnet18" => static t => new ResNet18(1, t),
        "resnet50" => static t => new ResNet50(1, t),
        "shufflenet_v2_x1_0" => static t => new ShuffleNetV2X10(1, t),
        "squeezenet1_1" => static t => new SqueezeNet11(1, t),
        "unet" => static t => new UNet(1, t),
        "vgg16" => static t => new VGG16(1, t),
        "vit_b_16" => static t => new ViTB16(1, t),
        _ => throw new ArgumentException($"no network is called '{name}'."),
    };
}
