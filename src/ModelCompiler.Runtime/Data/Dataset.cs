// Samples in memory, in the layout networks read: channels first, float32.
namespace ModelCompiler.Runtime;

/// <summary>Inputs with class labels: one class for each sample, or one for each position (segmentation).</summary>
public sealed class Dataset
{
    private readonly float[] inputs;
    private readonly int[] labels;

    /// <param name="shape">Of one input: <c>[1, 28, 28]</c>.</param>
    /// <param name="inputs">All inputs, one after the other.</param>
    /// <param name="labels">Class numbers 0 … <paramref name="classes"/> - 1.</param>
    /// <param name="labelShape">Of one sample's labels; empty (one label) by default.</param>
    /// <exception cref="DatasetException">Counts do not agree or a label is out of range.</exception>
    public Dataset(IReadOnlyList<int> shape, float[] inputs, int[] labels, int classes, IReadOnlyList<int>? labelShape = null)
    {
        Shape = shape;
        LabelShape = labelShape ?? [];
        Classes = classes;
        this.inputs = inputs;
        this.labels = labels;
        SampleCount = Product(Shape);
        LabelCount = Product(LabelShape);
        Count = inputs.Length / SampleCount;
        if (inputs.Length % SampleCount != 0 || labels.Length != (long)Count * LabelCount)
        {
            throw new DatasetException(
                $"{inputs.Length} input values in samples of {Shapes.Text(Shape)} and {labels.Length} labels of {Shapes.Text(LabelShape)} are not as many samples.");
        }

        var wrong = labels.AsSpan().IndexOfAnyExceptInRange(0, classes - 1);
        if (wrong >= 0)
        {
            throw new DatasetException($"label {labels[wrong]} of sample {wrong / LabelCount} is outside 0 … {classes - 1}.");
        }
    }

    /// <summary>Number of samples.</summary>
    public int Count { get; }

    /// <summary>Of one input.</summary>
    public IReadOnlyList<int> Shape { get; }

    public IReadOnlyList<int> LabelShape { get; }

    public int Classes { get; }

    /// <summary>Elements of one input.</summary>
    public int SampleCount { get; }

    /// <summary>Labels of one sample.</summary>
    public int LabelCount { get; }

    /// <summary>Grey images as idx files: each pixel becomes (value / 255 - mean) / deviation; shape 1 x height x width.</summary>
    /// <exception cref="DatasetException">A file is damaged or the two do not belong together.</exception>
    public static Dataset FromIdx(string imagesPath, string labelsPath, int classes = 10, float mean = 0, float deviation = 1)
    {
        var images = Idx.Read(imagesPath);
        if (images.Shape is not [var count, > 0 and var height, > 0 and var width])
        {
            throw new DatasetException($"{imagesPath}: not images: its shape is {Shapes.Text(images.Shape)}, not count x height x width.");
        }

        var stored = Idx.Read(labelsPath);
        if (stored.Shape is not [var labelCount])
        {
            throw new DatasetException($"{labelsPath}: not labels: its shape is {Shapes.Text(stored.Shape)}, not a count.");
        }

        if (count != labelCount)
        {
            throw new DatasetException($"{imagesPath} holds {count} images, but {labelsPath} {labelCount} labels; do they belong together?");
        }

        var inputs = new Normalization([mean], [deviation]).Apply(images.Values, 1, height * width, channelsLast: false);
        try
        {
            return new Dataset([1, height, width], inputs, Array.ConvertAll(stored.Values, label => (int)label), classes);
        }
        catch (DatasetException exception)
        {
            throw new DatasetException($"{labelsPath}: {exception.Message}", exception);
        }
    }

    /// <summary>Images as NumPy arrays: bytes are normalised, floats taken as they are.</summary>
    /// <param name="images">count x channels x height x width; count x height x width for grey ones.</param>
    /// <param name="labels">One class number for each image.</param>
    /// <param name="channelsLast">The images are count x height x width x channels.</param>
    /// <exception cref="DatasetException">Shapes or counts do not fit.</exception>
    public static Dataset FromNumpy(
        NumpyArray images, NumpyArray labels, int classes, Normalization? normalization = null, bool channelsLast = false)
    {
        var (count, channels, height, width) = images.Shape switch
        {
            [var n, var h, var w] => (n, 1, h, w),
            [var n, var h, var w, var c] when channelsLast => (n, c, h, w),
            [var n, var c, var h, var w] => (n, c, h, w),
            _ => throw new DatasetException($"images of shape {Shapes.Text(images.Shape)}: expected count x channels x height x width."),
        };
        if (labels.Shape is not [var labelCount] || labelCount != count)
        {
            throw new DatasetException($"{count} images but labels of shape {Shapes.Text(labels.Shape)}.");
        }

        if (images.ElementType != "|u1" && channelsLast && channels > 1)
        {
            throw new DatasetException($"floats must be count x channels x height x width; transpose the array of {Shapes.Text(images.Shape)} first.");
        }

        var inputs = images.ElementType == "|u1"
            ? (normalization ?? Normalization.None).Apply(images.Bytes, channels, height * width, channelsLast)
            : images.ToFloats();
        return new Dataset([channels, height, width], inputs, labels.ToIntegers(), classes);
    }

    /// <summary>Elements of sample <paramref name="index"/>.</summary>
    public ReadOnlySpan<float> Input(int index) => inputs.AsSpan(Checked(index) * SampleCount, SampleCount);

    /// <summary>Class numbers of sample <paramref name="index"/>.</summary>
    public ReadOnlySpan<int> Labels(int index) => labels.AsSpan(Checked(index) * LabelCount, LabelCount);

    /// <summary>The first <paramref name="count"/> samples.</summary>
    public Dataset Take(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        return count >= Count ? this : new Dataset(Shape, inputs[..(count * SampleCount)], labels[..(count * LabelCount)], Classes, LabelShape);
    }

    /// <summary>The samples of some classes, in their order, with the classes numbered anew: the first one given is 0.</summary>
    /// <exception cref="InvalidOperationException">Samples have several labels each.</exception>
    public Dataset OfClasses(params int[] classes)
    {
        if (LabelCount != 1)
        {
            throw new InvalidOperationException($"samples with labels of {Shapes.Text(LabelShape)} belong to no one class.");
        }

        var chosen = Enumerable.Range(0, Count).Where(i => classes.Contains(labels[i])).ToArray();
        var values = new float[chosen.Length * SampleCount];
        for (var i = 0; i < chosen.Length; i++)
        {
            Input(chosen[i]).CopyTo(values.AsSpan(i * SampleCount));
        }

        return new Dataset(Shape, values, Array.ConvertAll(chosen, i => Array.IndexOf(classes, labels[i])), classes.Length, LabelShape);
    }

    /// <exception cref="DatasetException">The network's input takes another shape.</exception>
    internal void CheckInput(NetworkInfo network)
    {
        if (network.Inputs is not [var input])
        {
            throw new DatasetException($"network '{network.Name}' has {network.Inputs.Length} inputs; a dataset feeds one.");
        }

        if (!input.Shape.SequenceEqual(Shape))
        {
            throw new DatasetException($"input '{input.Name}' of '{network.Name}' takes {Shapes.Text(input.Shape)}, the dataset holds {Shapes.Text(Shape)}.");
        }
    }

    private static int Product(IEnumerable<int> shape)
    {
        var product = shape.Aggregate(1L, (product, size) => checked(product * size));
        return product is > 0 and <= int.MaxValue ? (int)product : throw new DatasetException("a sample needs at least one element and fewer than 2^31.");
    }

    private int Checked(int index) => (uint)index < (uint)Count
        ? index
        : throw new ArgumentOutOfRangeException(nameof(index), index, $"the dataset has samples 0 … {Count - 1}.");
}
