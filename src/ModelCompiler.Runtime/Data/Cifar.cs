// The binary versions of CIFAR-10 and CIFAR-100: records of labels and 32x32 colour planes.
namespace ModelCompiler.Runtime;

/// <summary>Reads the binary files of https://www.cs.toronto.edu/~kriz/cifar.html.</summary>
public static class Cifar
{
    private const int Size = 32;
    private const int Channels = 3;
    private const int Pixels = Channels * Size * Size;

    /// <summary>CIFAR-10's <c>data_batch_1.bin</c> …: one label, then red, green and blue planes.</summary>
    public static Dataset ReadCifar10(IEnumerable<string> paths, Normalization? normalization = null) =>
        Read(paths, normalization, labels: 1, classes: 10);

    /// <summary>CIFAR-100's <c>train.bin</c>: a coarse label, the fine one of 100 that is used here, then the planes.</summary>
    public static Dataset ReadCifar100(IEnumerable<string> paths, Normalization? normalization = null) =>
        Read(paths, normalization, labels: 2, classes: 100);

    private static Dataset Read(IEnumerable<string> paths, Normalization? normalization, int labels, int classes)
    {
        var record = labels + Pixels;
        using var pixels = new MemoryStream();
        var truth = new List<int>();
        foreach (var path in paths)
        {
            var bytes = File.ReadAllBytes(path);
            if (bytes.Length == 0 || bytes.Length % record != 0)
            {
                throw new DatasetException($"{path}: {bytes.Length} bytes are not whole records of {record}; it is truncated or another version of CIFAR.");
            }

            for (var start = 0; start < bytes.Length; start += record)
            {
                var label = bytes[start + labels - 1];
                truth.Add(label < classes
                    ? label
                    : throw new DatasetException($"{path}: label {label} of record {start / record} is outside 0 … {classes - 1}."));
                pixels.Write(bytes, start + labels, Pixels);
            }
        }

        var inputs = (normalization ?? Normalization.None).Apply(pixels.GetBuffer().AsSpan(0, (int)pixels.Length), Channels, Size * Size, channelsLast: false);
        return new Dataset([Channels, Size, Size], inputs, truth.ToArray(), classes);
    }
}
