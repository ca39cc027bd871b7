// The networks under examples/zoo against the sizes that were published or that PyTorch's versions have, and against
// the names and shapes of torchvision's weights.
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using ModelCompiler.Evaluation;
using ModelCompiler.Grammar;
using ModelCompiler.Graph;

namespace ModelCompiler.Tests.Evaluation;

public class ZooTests
{
    private static string Folder => Repository.File("examples", "zoo");

    internal static IEnumerable<string> Names => Directory.GetFiles(Folder, "*.cnn").Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal);

    public static TheoryData<string> Files => [.. Names];

    /// <summary>Each file holds the one network of its name and has nothing to complain about.</summary>
    [Theory]
    [MemberData(nameof(Files))]
    public void AFileHoldsTheNetworkOfItsName(string file)
    {
        var graph = Evaluate(file);
        Assert.Equal(Path.GetFileNameWithoutExtension(file).Replace("_", "", StringComparison.Ordinal), graph.Name, ignoreCase: true);
    }

    /// <summary>Parts of networks, whose inputs and outputs are maps.</summary>
    private static readonly string[] Modules = ["conv_s2s_encoder.cnn", "faster_rcnn_heads.cnn", "fpn.cnn", "googlenet_module.cnn", "hrnet_stage.cnn", "mask_rcnn_heads.cnn", "se_block.cnn"];

    /// <summary>Who knows one network of the zoo can run them all.</summary>
    [Theory]
    [MemberData(nameof(Files))]
    public void InputsOutputsAndTargetsHaveTheUsualNames(string file)
    {
        var graph = Evaluate(file);
        Assert.All(graph.Targets.Where(target => target.Node.As<InputAttributes>().IsClass), target => Assert.Equal("label", target.Name));
        if (!Modules.Contains(file))
        {
            Assert.Contains(graph.Inputs[0].Name, new[] { "image", "clip", "sequence" });
            Assert.Equal("logits", graph.Outputs[0].Name);
        }
    }

    /// <summary>Trainable parameters and multiply-adds at the size of the input: published, PyTorch's, or the sum over the figure's layers.</summary>
    public static TheoryData<string, long, long> Sizes => new()
    {
        { "alexnet.cnn", 61_100_840, 714_188_480 },
        { "alexnet_grouped.cnn", 60_965_224, 724_406_816 },
        { "alexnet_ungrouped.cnn", 62_378_344, 1_135_256_096 },
        { "c3d.cnn", 78_409_573, 38_547_378_176 },
        { "conv_s2s_encoder.cnn", 53_395_456, 1_333_657_600 },
        { "convnext_tiny.cnn", 28_589_128, 4_455_531_264 },
        { "convolutional_autoencoder.cnn", 2_131_107, 42_827_776 },
        { "deeplabv3_resnet50.cnn", 42_004_074, 178_721_945_088 },
        { "densenet121.cnn", 7_978_856, 2_834_161_664 },
        { "densenet169.cnn", 14_149_480, 3_359_843_328 },
        { "densenet201.cnn", 20_013_928, 4_291_365_888 },
        { "dilated_tcn.cnn", 172_554, 21_872_640 },
        { "early_fusion_cnn.cnn", 60_590_215, 2_043_907_328 },
        { "efficientnet_b0.cnn", 5_288_548, 385_814_752 },
        { "faster_rcnn_heads.cnn", 14_362_055, 14_359_552_000 },
        { "faster_rcnn_resnet50_fpn.cnn", 41_808_406, 134_379_721_216 },
        { "fcn16s.cnn", 134_815_994, 62_826_561_792 },
        { "fcn32s.cnn", 136_152_917, 62_787_564_288 },
        { "fcn8s.cnn", 134_489_759, 62_860_657_728 },
        { "fcn_resnet50.cnn", 35_322_218, 152_716_512_000 },
        { "fpn.cnn", 7_218_904, 31_448_367_104 },
        { "googlenet.cnn", 13_004_888, 1_506_748_416 },
        { "googlenet_module.cnn", 163_696, 128_049_152 },
        { "hrnet_stage.cnn", 153_536, 61_865_984 },
        { "hrnet_w32.cnn", 28_536_113, 7_645_003_776 },
        { "ibowimg.cnn", 15_365_000, 15_360_000 },
        { "inception_v3.cnn", 27_161_264, 5_718_899_296 },
        { "late_fusion_cnn.cnn", 98_025_319, 2_239_940_864 },
        { "lenet5.cnn", 61_706, 416_520 },
        { "lenet5_original.cnn", 60_000, 415_680 },
        { "lenet_1989.cnn", 9_760, 82_860 },
        { "mask_rcnn_heads.cnn", 17_008_162, 74_172_211_200 },
        { "mnasnet1_0.cnn", 4_383_312, 314_415_872 },
        { "mobilenet_v1.cnn", 4_231_976, 568_740_352 },
        { "mobilenet_v1_dogs.cnn", 3_329_976, 567_839_232 },
        { "mobilenet_v1_dogs_r192.cnn", 3_329_976, 417_220_608 },
        { "mobilenet_v1_dogs_w075.cnn", 1_908_840, 324_724_608 },
        { "mobilenet_v1_dogs_w075_r192.cnn", 1_908_840, 238_597_632 },
        { "mobilenet_v1_w050_r160.cnn", 1_331_592, 76_524_800 },
        { "mobilenet_v2.cnn", 3_504_872, 300_774_272 },
        { "mobilenet_v3_large.cnn", 5_483_032, 216_589_760 },
        { "mobilenet_v3_small.cnn", 2_542_856, 56_510_400 },
        { "neocognitron.cnn", 29_472, 1_132_800 },
        { "network_in_network.cnn", 966_986, 222_486_528 },
        { "non_local_resnet50.cnn", 31_686_096, 28_565_012_480 },
        { "r2plus1d_18.cnn", 31_505_325, 40_519_080_960 },
        { "r3d_18.cnn", 33_371_472, 40_696_553_472 },
        { "regnet_y_400mf.cnn", 4_344_144, 401_842_848 },
        { "replknet31b.cnn", 79_864_168, 15_431_298_048 },
        { "resnet101.cnn", 44_549_160, 7_801_405_440 },
        { "resnet152.cnn", 60_192_808, 11_513_626_624 },
        { "resnet18.cnn", 11_689_512, 1_814_073_344 },
        { "resnet34.cnn", 21_797_672, 3_663_761_408 },
        { "resnet50.cnn", 25_557_032, 4_089_184_256 },
        { "resnext50_32x4d.cnn", 25_028_904, 4_230_479_872 },
        { "retinanet_resnet50_fpn.cnn", 34_068_119, 151_540_437_248 },
        { "rpn_resnet50_fpn.cnn", 27_446_351, 120_020_169_216 },
        { "sample_net.cnn", 6_440, 1_775_680 },
        { "sample_net_gap.cnn", 4_940, 1_774_180 },
        { "se_block.cnn", 580, 512 },
        { "se_resnet50.cnn", 28_088_024, 4_091_699_200 },
        { "shufflenet_v2_x1_0.cnn", 2_278_604, 144_907_992 },
        { "single_frame_cnn.cnn", 60_276_583, 1_129_356_416 },
        { "slowfast_4x16_r50.cnn", 34_480_216, 36_099_198_976 },
        { "squeezenet1_0.cnn", 1_248_424, 818_924_576 },
        { "squeezenet1_1.cnn", 1_235_496, 349_151_936 },
        { "ssd300_vgg16.cnn", 35_641_826, 34_858_153_472 },
        { "stacked_hourglass.cnn", 25_434_112, 27_440_185_344 },
        { "swin_t.cnn", 28_288_354, 4_474_162_176 },
        { "tcn.cnn", 66_510, 64_969_350 },
        { "tdnn.cnn", 515, 6_072 },
        { "two_stream.cnn", 181_335_594, 4_277_888_928 },
        { "unet.cnn", 7_763_074, 3_018_326_016 },
        { "vgg11.cnn", 132_863_336, 7_609_090_048 },
        { "vgg11_bn.cnn", 132_868_840, 7_609_090_048 },
        { "vgg13.cnn", 133_047_848, 11_308_466_176 },
        { "vgg13_bn.cnn", 133_053_736, 11_308_466_176 },
        { "vgg16.cnn", 138_357_544, 15_470_264_320 },
        { "vgg16_bn.cnn", 138_365_992, 15_470_264_320 },
        { "vgg19.cnn", 143_667_240, 19_632_062_464 },
        { "vgg19_bn.cnn", 143_678_248, 19_632_062_464 },
        { "vit_b_16.cnn", 86_567_656, 17_563_828_224 },
        { "wide_resnet50_2.cnn", 68_883_240, 11_398_021_120 },
        { "yolo_v1.cnn", 271_703_550, 20_285_153_280 },
        { "yolo_v2_tiny.cnn", 15_861_773, 3_485_520_896 },
        { "yolo_v3.cnn", 61_949_149, 32_932_037_632 },
        { "zfnet.cnn", 62_357_608, 1_168_032_896 },
    };

    [Fact]
    public void TheSizeOfEveryFileIsTested() => Assert.Equal(Names, Sizes.Select(row => (string)row[0]));

    [Theory]
    [MemberData(nameof(Sizes))]
    public void HasItsPublishedSize(string file, long parameters, long macs)
    {
        var graph = Evaluate(file);
        Assert.Equal(parameters, Evaluating.ParameterCount(graph));
        Assert.Equal(macs, graph.Nodes.Sum(node => node.Primitive.Macs(node)));
        var text = File.ReadAllText(Path.Combine(Folder, file));
        Assert.Contains(macs.ToString("N0", CultureInfo.InvariantCulture) + " multiply-adds", text, StringComparison.Ordinal);
        Assert.Contains(parameters.ToString("N0", CultureInfo.InvariantCulture) + " parameters", text, StringComparison.Ordinal);
    }

    /// <summary>What headers quote beside the two numbers: the quotation, what it is to be compared with, and its last digit.</summary>
    public static TheoryData<string, string, double, double> Quotations
    {
        get
        {
            long Macs(string file) => Evaluate(file).Nodes.Sum(node => node.Primitive.Macs(node));
            long Parameters(string file) => Evaluating.ParameterCount(Evaluate(file));
            NetworkGraph InUse(string file) => ModelCompiler.Gradient.Lowering.ForInference(Evaluate(file));
            const string Retina = "retinanet_resnet50_fpn.cnn", Faster = "faster_rcnn_resnet50_fpn.cnn", Mask = "mask_rcnn_heads.cnn";
            return new()
            {
                { Faster, "41,755,286", Parameters(Faster) - 53_120, 1 },
                { Faster, "134.38 billion", Macs(Faster) / 1e9, 0.01 },
                { "faster_rcnn_heads.cnn", "14,359,552 for each region", Macs("faster_rcnn_heads.cnn") / 1000.0, 1 },
                { "googlenet.cnn", "6,624,904 parameters without", Evaluating.ParameterCount(InUse("googlenet.cnn")), 1 },
                { "googlenet_module.cnn", "128M", Macs("googlenet_module.cnn") / 1e6, 1 },
                { "hrnet_w32.cnn", "28.5 million", Parameters("hrnet_w32.cnn") / 1e6, 0.1 },
                { "hrnet_w32.cnn", "7.1", Macs("hrnet_w32.cnn") / (double)(1 << 30), 0.1 },
                { "inception_v3.cnn", "5,713,216,096 without", InUse("inception_v3.cnn").Nodes.Sum(node => node.Primitive.Macs(node)), 1 },
                { Mask, "44,401,393", Parameters(Mask) + Parameters("rpn_resnet50_fpn.cnn") - 53_120, 1 },
                { Retina, "34,014,999", Parameters(Retina) - 53_120, 1 },
                { "slowfast_4x16_r50.cnn", "34.48 million", Parameters("slowfast_4x16_r50.cnn") / 1e6, 0.01 },
                { "yolo_v2_tiny.cnn", "6.97 billion", 2 * Macs("yolo_v2_tiny.cnn") / 1e9, 0.01 },
                { "yolo_v3.cnn", "65.86 billion", 2 * Macs("yolo_v3.cnn") / 1e9, 0.01 },
            };
        }
    }

    [Theory]
    [MemberData(nameof(Quotations))]
    public void QuotesWhatWasPublished(string file, string quotation, double value, double digit)
    {
        Assert.Contains(quotation, File.ReadAllText(Path.Combine(Folder, file)), StringComparison.Ordinal);
        Assert.Equal(double.Parse(quotation.Split(' ', 'M')[0], NumberStyles.Float | NumberStyles.AllowThousands, CultureInfo.InvariantCulture), value, digit / 2);
    }

    [Theory]
    [InlineData("alexnet")]
    [InlineData("convnext_tiny")]
    [InlineData("densenet121")]
    [InlineData("efficientnet_b0")]
    [InlineData("googlenet")]
    [InlineData("mobilenet_v2")]
    [InlineData("mobilenet_v3_small")]
    [InlineData("r3d_18")]
    [InlineData("resnet18")]
    [InlineData("resnet50")]
    [InlineData("resnext50_32x4d")]
    [InlineData("squeezenet1_0")]
    [InlineData("squeezenet1_1")]
    [InlineData("shufflenet_v2_x1_0")]
    [InlineData("vgg16")]
    [InlineData("vit_b_16")]
    [InlineData("wide_resnet50_2")]
    [InlineData("deeplabv3_resnet50")]
    [InlineData("fcn_resnet50")]
    [InlineData("inception_v3")]
    [InlineData("mobilenet_v3_large")]
    [InlineData("r2plus1d_18")]
    [InlineData("vgg16_bn")]
    [InlineData("retinanet_resnet50_fpn")]
    [InlineData("ssd300_vgg16")]
    [InlineData("rpn_resnet50_fpn")]
    [InlineData("faster_rcnn_heads")]
    [InlineData("faster_rcnn_resnet50_fpn")]
    [InlineData("mask_rcnn_heads")]
    [InlineData("swin_t")]
    public void WeightsAreNamedAsTorchvisionNamesThem(string name)
    {
        var expected = File.ReadAllLines(Repository.File("tests", "ModelCompiler.Tests", "Goldens", "torchvision", name + ".txt"));
        Assert.Equal(expected.Order(StringComparer.Ordinal), WeightNames(Evaluate(name + ".cnn")).Order(StringComparer.Ordinal));
    }

    public static TheoryData<string, long, long, string> TorchvisionSizes
    {
        get
        {
            var data = new TheoryData<string, long, long, string>();
            foreach (var parts in File.ReadLines(Repository.File("tests", "ModelCompiler.Tests", "Goldens", "torchvision", "sizes.txt")).Select(line => line.Split(' ')))
            {
                data.Add(parts[0], long.Parse(parts[1], CultureInfo.InvariantCulture), long.Parse(parts[2], CultureInfo.InvariantCulture), parts[3]);
            }

            return data;
        }
    }

    /// <summary>All networks that torchvision has too, by its own counts: parameters, multiply-adds, names and shapes of weights.</summary>
    [Theory]
    [MemberData(nameof(TorchvisionSizes))]
    public void HasTheSizeAndTheNamesOfTorchvision(string name, long parameters, long macs, string digest)
    {
        var graph = Evaluate(name + ".cnn");
        Assert.Equal(parameters, Evaluating.ParameterCount(graph));
        Assert.Equal(macs, graph.Nodes.Sum(node => node.Primitive.Macs(node)));
        var names = string.Join('\n', WeightNames(graph).Order(StringComparer.Ordinal));
        Assert.Equal(digest, Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(names))));
    }

    // Tables 6 and 7 of the MobileNets paper, in millions: width, resolution, multiply-adds, parameters.
    [Theory]
    [InlineData("1.0", 224, 569, 4.2)]
    [InlineData("0.75", 224, 325, 2.6)]
    [InlineData("0.5", 224, 149, 1.3)]
    [InlineData("0.25", 224, 41, 0.5)]
    [InlineData("1.0", 192, 418, 4.2)]
    [InlineData("1.0", 160, 290, 4.2)]
    [InlineData("1.0", 128, 186, 4.2)]
    public void MobileNetShrinksAsItsPaperSays(string width, int resolution, double macs, double parameters)
    {
        var text = $"use \"common/mobilenet_v1.cnn\"\nnetwork Shrunk = MobileNetV1At(width: {width}, resolution: {resolution})";
        var graph = Evaluate(new SourceFile("shrunk.cnn", text));
        Assert.Equal(macs, graph.Nodes.Sum(node => node.Primitive.Macs(node)) / 1e6, 1.0);
        Assert.Equal(parameters, Evaluating.ParameterCount(graph) / 1e6, 0.05);
    }

    public static NetworkGraph Evaluate(string file) => Evaluate(Read(file)!);

    private static IEnumerable<string> WeightNames(NetworkGraph graph) =>
        graph.Parameters.Select(node => node.As<ParameterAttributes>()).Select(parameter => $"{parameter.Name} {parameter.Shape}");

    public static NetworkGraph Evaluate(SourceFile file)
    {
        var result = Evaluator.Evaluate(file, Import);

        // SqueezeNet's strides do not divide its input, and the hint is right.
        Assert.DoesNotContain(result.Diagnostics, diagnostic => diagnostic.Severity != Severity.Info && diagnostic.Code != "CNN4003");
        return Assert.Single(result.Networks);
    }

    public static SourceFile? Import(string from, string import) => Read(Path.Combine(Path.GetDirectoryName(from)!, import));

    public static SourceFile? Read(string file) =>
        File.Exists(Path.Combine(Folder, file)) ? new SourceFile(file, File.ReadAllText(Path.Combine(Folder, file))) : null;
}
