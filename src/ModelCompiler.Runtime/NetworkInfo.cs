// What a network is, as data: generated code fills it with constants, people and tools read it.
namespace ModelCompiler.Runtime;

/// <summary>Element type of an input or target.</summary>
public enum TensorKind
{
    /// <summary>float32.</summary>
    Float,

    /// <summary>Class numbers: int32 in memory, int64 in files.</summary>
    Class,
}

/// <summary>An input, target or output: its name in the `.cnn` file and the shape of one sample.</summary>
/// <param name="Classes">For class targets the number of classes; class numbers are 0 … Classes - 1.</param>
/// <param name="Ignored">For class targets a further number that labels may be, of places that do not count.</param>
/// <param name="Limits">What numbers of an input must be, where the network can use no others.</param>
public sealed record TensorInfo(
    string Name, int[] Shape, TensorKind Kind = TensorKind.Float, int Classes = 0, int? Ignored = null, ValueLimits? Limits = null)
{
    /// <summary>Elements of one sample.</summary>
    public int Count => Shapes.Count(Shape);
}

/// <summary>What the numbers of an input must be; a run with others throws before it writes anything.</summary>
/// <param name="Places">Above 0: whole numbers from 0 to one below this.</param>
/// <param name="Width">Above 0: rows of x1, y1, x2, y2 with 0 ≤ x1 ≤ x2 ≤ Width.</param>
/// <param name="Height">As Width, for y1 and y2.</param>
public sealed record ValueLimits(int Places, float Width = 0, float Height = 0);

/// <summary>How a parameter is filled before training.</summary>
public enum InitializerKind
{
    /// <summary>Uniform in ±1/sqrt(fan in): PyTorch's default for convolutions and dense layers.</summary>
    FanInUniform,
    Constant,
    Normal,
    Uniform,
    XavierUniform,
    XavierNormal,
    KaimingUniform,
    KaimingNormal,
    Orthogonal,
}

/// <summary>A parameter or buffer: PyTorch's name and layout, and its place in the flat storage.</summary>
/// <param name="Offset">Index of the first float in <see cref="ParameterSet"/>'s storage; a multiple of 16.</param>
/// <param name="Trainable">False for running statistics and fixed kernels, which the optimizer leaves alone.</param>
/// <param name="Value">The constant, deviation, bound or gain of the initializer.</param>
public sealed record ParameterInfo(
    string Name, int[] Shape, int Offset, bool Trainable, InitializerKind Initializer, float Value = 0, int FanIn = 0, int FanOut = 0)
{
    /// <summary>Parameters as generated code lists them.</summary>
    /// <param name="text">Lines of <c>name | 64x3x7x7 | offset | trained or fixed | initializer | value | fan in | fan out</c>.</param>
    /// <exception cref="FormatException">A line is not of this form.</exception>
    public static ParameterInfo[] List(string text) => InfoText.Parameters(text);

    public int Count => Shapes.Count(Shape);
}

/// <summary>A layer as its author wrote it.</summary>
/// <param name="Path">For instance <c>layer1.0.conv1</c>.</param>
/// <param name="Operator">The language's word: <c>conv</c>.</param>
/// <param name="Parameters">Trainable numbers in it.</param>
/// <param name="Macs">Multiply-adds for one sample.</param>
public sealed record LayerInfo(string Path, string Operator, int[] OutputShape, long Parameters, long Macs, string Kernel)
{
    /// <summary>Layers as generated code lists them.</summary>
    /// <param name="text">Lines of <c>path | operator | 64x56x56 | parameters | multiply-adds | kernel</c>.</param>
    /// <exception cref="FormatException">A line is not of this form.</exception>
    public static LayerInfo[] List(string text) => InfoText.Layers(text);
}

/// <summary>Everything fixed about a network before an object of it exists.</summary>
/// <param name="StorageFloats">Floats in the flat parameter storage, padding included; trainable parameters come first and
/// fill [0, <paramref name="TrainableFloats"/>).</param>
/// <param name="SampleBytes">Arena bytes for each sample of the batch.</param>
/// <param name="CommonBytes">Arena bytes independent of the batch: packed weights, folded norms, scratch.</param>
/// <param name="ScratchBytes">Bytes for each thread, whose content lives as long as a step.</param>
/// <param name="PreparationBytes">Bytes that inference needs while it packs weights, and not afterwards.</param>
/// <param name="GroupBytes">Arena bytes for each sixteen samples of the batch, the last perhaps not full: values of small images in training.</param>
public sealed record NetworkInfo(
    string Name,
    TensorInfo[] Inputs,
    TensorInfo[] Targets,
    TensorInfo[] Outputs,
    ParameterInfo[] Parameters,
    LayerInfo[] Layers,
    int StorageFloats,
    int TrainableFloats,
    long SampleBytes,
    long CommonBytes,
    long ScratchBytes = 0,
    long PreparationBytes = 0,
    long GroupBytes = 0)
{
    /// <summary>Samples that lie side by side.</summary>
    internal const int GroupSamples = 16;

    /// <summary>Groups that the samples of a batch make, the last perhaps not full.</summary>
    internal static int GroupCount(int batch) => (batch + GroupSamples - 1) / GroupSamples;

    /// <summary>The layers as another product of the network runs them.</summary>
    /// <param name="kernels">Kernels by name.</param>
    /// <param name="ofLayers">For each layer the place of its kernel in <paramref name="kernels"/>.</param>
    public LayerInfo[] LayersWith(string[] kernels, ReadOnlySpan<int> ofLayers)
    {
        var layers = new LayerInfo[Layers.Length];
        for (var i = 0; i < layers.Length; i++)
        {
            layers[i] = Layers[i] with { Kernel = kernels[ofLayers[i]] };
        }

        return layers;
    }

    /// <summary>Trainable numbers.</summary>
    public long ParameterCount => Parameters.Where(p => p.Trainable).Sum(p => (long)p.Count);

    /// <summary>Memory of an object for activations, packed weights and scratch, in bytes; parameters, gradients and optimizer state
    /// are apart.</summary>
    public long ArenaBytes(int batch) => (batch * SampleBytes) + (GroupCount(batch) * GroupBytes) + CommonBytes;

    /// <summary>Multiply-adds for one sample, convolutions and dense layers only.</summary>
    public long Macs => Layers.Sum(l => l.Macs);
}
