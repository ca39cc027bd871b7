// The real digits, and every way a download of them can be broken.
using System.IO.Compression;

namespace ModelCompiler.Runtime.Tests;

public sealed class IdxTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void ReadsTheDigits()
    {
        var data = Dataset.FromIdx(Mnist("t10k-images-idx3-ubyte.gz"), Mnist("t10k-labels-idx1-ubyte.gz"), mean: 0.1307f, deviation: 0.3081f);
        Assert.Equal(10_000, data.Count);
        Assert.Equal([1, 28, 28], data.Shape);
        Assert.Equal([7, 2, 1, 0, 4], Enumerable.Range(0, 5).Select(i => data.Labels(i)[0]));

        // Published sizes of the classes in the test set.
        Assert.Equal([980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009], Enumerable.Range(0, 10_000).CountBy(i => data.Labels(i)[0]).OrderBy(p => p.Key).Select(p => p.Value));
        Assert.Equal(-0.1307f / 0.3081f, data.Input(0)[0], 1e-6f);
        var sum = 0.0;
        for (var i = 0; i < data.Count; i++)
        {
            foreach (var value in data.Input(i))
            {
                sum += value;
            }
        }

        // The test set's mean pixel is 0.1325 (the training set's 0.1307).
        Assert.Equal((0.1325 - 0.1307) / 0.3081, sum / (10_000 * 784), 3e-4);
    }

    [Fact]
    public void ReadsTheTrainingDigits()
    {
        Assert.Equal([60_000, 28, 28], Idx.Read(Mnist("train-images-idx3-ubyte.gz")).Shape);
        Assert.Equal([5, 0, 4, 1, 9], Idx.Read(Mnist("train-labels-idx1-ubyte.gz")).Values.Take(5).Select(b => (int)b));
    }

    [Fact]
    public void PlainAndCompressedAreTheSame()
    {
        byte[] bytes = [0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6];
        var plain = Idx.Read(folder.Write("plain", bytes));
        Assert.Equal([2, 3], plain.Shape);
        Assert.Equal([1, 2, 3, 4, 5, 6], plain.Values);
        Assert.Equal(plain.Values, Idx.Read(folder.Write("zipped", Gzip(bytes))).Values);
    }

    [Theory]
    [InlineData(new byte[] { }, "truncated")]
    [InlineData(new byte[] { 0, 0, 8 }, "truncated")]
    [InlineData(new byte[] { 0, 0, 8, 1, 0, 0 }, "truncated")]
    [InlineData(new byte[] { 0, 0, 8, 1, 0, 0, 0, 3, 1, 2 }, "truncated: 2 of 3 values")]
    [InlineData(new byte[] { 0, 0, 8, 1, 0, 0, 0, 1, 1, 2 }, "longer than the 1 values")]
    [InlineData(new byte[] { 1, 0, 8, 1, 0, 0, 0, 1, 1 }, "not an idx file: it begins with 01000801")]
    [InlineData(new byte[] { 0, 0, 8, 0, 0, 0, 0, 1, 1 }, "rank")]
    [InlineData(new byte[] { 0, 0, 8, 9, 0, 0, 0, 1, 1 }, "rank")]
    [InlineData(new byte[] { 0, 0, 13, 1, 0, 0, 0, 1, 1 }, "type 0x0D")]
    [InlineData(new byte[] { 0, 0, 8, 3, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255 }, "more than")]
    [InlineData(new byte[] { 0, 0, 8, 1, 127, 0, 0, 0, 1 }, "truncated: 1 of 2130706432")]
    public void DamagedFilesAreRefusedWithAReason(byte[] bytes, string reason)
    {
        foreach (var file in new[] { folder.Write("plain", bytes), folder.Write("zipped", Gzip(bytes)) })
        {
            var message = Assert.Throws<DatasetException>(() => Idx.Read(file)).Message;
            Assert.Contains(reason, message);
            Assert.Contains(file, message);
        }
    }

    [Fact]
    public void BrokenCompressionIsRefused()
    {
        var zipped = Gzip([0, 0, 8, 1, 0, 0, 1, 0, .. Enumerable.Range(0, 256).Select(i => (byte)(i * 37))]);
        Assert.Contains("truncated", Assert.Throws<DatasetException>(() => Idx.Read(folder.Write("cut", zipped[..(zipped.Length / 2)]))).Message);
        zipped[15] ^= 0xFF;
        zipped[16] ^= 0xFF;
        Assert.Throws<DatasetException>(() => Idx.Read(folder.Write("flipped", zipped)));
    }

    [Fact]
    public void ImagesAndLabelsMustBelongTogether()
    {
        var images = folder.Write("images", [0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 1, 0, 255]);
        var labels = folder.Write("labels", [0, 0, 8, 1, 0, 0, 0, 2, 0, 9]);
        var data = Dataset.FromIdx(images, labels);
        Assert.Equal(1, data.Input(1)[0]);
        Assert.Contains("2 images", Assert.Throws<DatasetException>(() => Dataset.FromIdx(images, folder.Write("three", [0, 0, 8, 1, 0, 0, 0, 3, 0, 1, 2]))).Message);
        Assert.Contains("not images", Assert.Throws<DatasetException>(() => Dataset.FromIdx(labels, labels)).Message);
        Assert.Contains("not labels", Assert.Throws<DatasetException>(() => Dataset.FromIdx(images, images)).Message);
        Assert.Contains("label 9 of sample 1 is outside 0 … 4", Assert.Throws<DatasetException>(() => Dataset.FromIdx(images, labels, classes: 5)).Message);
        Assert.Throws<FileNotFoundException>(() => Dataset.FromIdx(folder["absent"], labels));
    }

    [Fact]
    public void DatasetsCheckTheirCounts()
    {
        Assert.Throws<DatasetException>(() => new Dataset([2], new float[5], new int[2], 3));
        Assert.Throws<DatasetException>(() => new Dataset([2], new float[4], new int[3], 3));
        Assert.Throws<DatasetException>(() => new Dataset([0], [], [], 3));
        var data = new Dataset([2], [1, 2, 3, 4, 5, 6], [0, 1, 2], 3);
        Assert.Equal([3f, 4f], data.Take(2).Input(1));
        Assert.Equal(2, data.Take(2).Count);
        Assert.Same(data, data.Take(9));
        Assert.Contains("0 … 2", Assert.Throws<ArgumentOutOfRangeException>(() => data.Input(3).Length).Message);
    }

    private static string Mnist(string name) => Path.Combine(AppContext.BaseDirectory, "mnist", name);

    private static byte[] Gzip(byte[] bytes)
    {
        using var stream = new MemoryStream();
        using (var gzip = new GZipStream(stream, CompressionLevel.Fastest))
        {
            gzip.Write(bytes);
        }

        return stream.ToArray();
    }
}
