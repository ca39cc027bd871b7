// The other data formats: one good file each, and the ways they arrive broken.
using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Text;

namespace ModelCompiler.Runtime.Tests;

public sealed class DataReaderTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void CifarIsLabelsAndPlanes()
    {
        byte[] Record(params byte[] labels) => [.. labels, .. Enumerable.Range(0, 3072).Select(i => (byte)(i / 1024 * 100))];
        var ten = Cifar.ReadCifar10(
            [folder.Write("a", [.. Record(3), .. Record(9)]), folder.Write("b", Record(0))], new Normalization([0, 0, 0.5f], [1, 2, 1]));
        Assert.Equal([3, 9, 0], Enumerable.Range(0, 3).Select(i => ten.Labels(i)[0]));
        Assert.Equal([3, 32, 32], ten.Shape);
        Assert.Equal(100 / 255f / 2, ten.Input(2)[1024]);
        Assert.Equal((200 / 255f) - 0.5f, ten.Input(2)[3071]);
        Assert.Equal(77, Cifar.ReadCifar100([folder.Write("c", Record(5, 77))]).Labels(0)[0]);
        Assert.Contains("whole records of 3073", Assert.Throws<DatasetException>(() => Cifar.ReadCifar10([folder.Write("d", Record(1)[1..])])).Message);
        Assert.Contains("whole records", Assert.Throws<DatasetException>(() => Cifar.ReadCifar10([folder.Write("e", [])])).Message);
        Assert.Contains("label 10 of record 0", Assert.Throws<DatasetException>(() => Cifar.ReadCifar10([folder.Write("f", Record(10))])).Message);
        Assert.Contains("2 means", Assert.Throws<DatasetException>(() => Cifar.ReadCifar10([folder["a"]], new Normalization([0, 0], [1, 1]))).Message);
    }

    [Fact]
    public void NumpyArraysAreRead()
    {
        var array = Numpy.Read(folder.Write("a.npy", Npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }", MemoryMarshal.AsBytes<float>([1, 2, 3, 4, 5, 6]))));
        Assert.Equal([2, 3], array.Shape);
        Assert.Equal([1f, 2, 3, 4, 5, 6], array.ToFloats());
        Assert.Equal([1.5f], Numpy.Read(folder.Write("d.npy", Npy("{'shape': (), 'fortran_order': False, 'descr': '<f8'}", BitConverter.GetBytes(1.5)))).ToFloats());
        Assert.Equal([-2, 3], Numpy.Read(folder.Write("i.npy", Npy("{'descr': '<i8', 'fortran_order': False, 'shape': (2,), }", MemoryMarshal.AsBytes<long>([-2, 3])))).ToIntegers());
        Assert.Equal([-1], Numpy.Read(folder.Write("s.npy", Npy("{'descr': '<i2', 'fortran_order': False, 'shape': (1,), }", [255, 255]))).ToIntegers());
        Assert.Equal([255f], Numpy.Read(folder.Write("u.npy", Npy("{'descr': '|u1', 'fortran_order': False, 'shape': (1,), }", [255]))).ToFloats());
    }

    [Theory]
    [InlineData("{'descr': '<f4', 'fortran_order': True, 'shape': (1,), }", 4, "Fortran")]
    [InlineData("{'descr': '>f4', 'fortran_order': False, 'shape': (1,), }", 4, "'>f4'")]
    [InlineData("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }", 4, "descr")]
    [InlineData("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", 4, "'|O'")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, }", 4, "shape")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999,), }", 4, "impossible size")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (99999, 99999, 99999), }", 4, "too large")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (500000000,), }", 4, "truncated")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }", 3, "truncated: 3 of 4")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }", 5, "longer")]
    public void DamagedNumpyFilesAreRefusedWithAReason(string header, int bytes, string reason)
    {
        var file = folder.Write("bad.npy", Npy(header, new byte[bytes]));
        var message = Assert.Throws<DatasetException>(() => Numpy.Read(file)).Message;
        Assert.Contains(reason, message);
        Assert.Contains(file, message);
    }

    [Fact]
    public void WhatIsNoNumpyFileIsRefused()
    {
        Assert.Contains("truncated", Assert.Throws<DatasetException>(() => Numpy.Read(folder.Write("x", [0x93]))).Message);
        Assert.Contains("not a NumPy", Assert.Throws<DatasetException>(() => Numpy.Read(folder.Write("x", new byte[20]))).Message);
        Assert.Contains("header of", Assert.Throws<DatasetException>(() => Numpy.Read(folder.Write("x", [0x93, .. "NUMPY"u8, 2, 0, 255, 255, 255, 255]))).Message);
        Assert.Contains("archive", Assert.Throws<DatasetException>(() => Numpy.ReadArchive(folder.Write("x", new byte[50]))).Message);
    }

    [Fact]
    public void ArchivesBecomeDatasets()
    {
        using (var zip = ZipFile.Open(folder["d.npz"], ZipArchiveMode.Create))
        {
            void Add(string name, byte[] bytes)
            {
                using var stream = zip.CreateEntry(name).Open();
                stream.Write(bytes);
            }

            Add("images.npy", Npy("{'descr': '|u1', 'fortran_order': False, 'shape': (2, 1, 2, 3), }", Enumerable.Range(0, 12).Select(i => (byte)i).ToArray()));
            Add("labels.npy", Npy("{'descr': '<i4', 'fortran_order': False, 'shape': (2,), }", MemoryMarshal.AsBytes<int>([1, 0])));
        }

        var arrays = Numpy.ReadArchive(folder["d.npz"]);
        var last = Dataset.FromNumpy(arrays["images"], arrays["labels"], 2, channelsLast: true);
        Assert.Equal([3, 1, 2], last.Shape);
        Assert.Equal([0, 3, 1, 4, 2, 5], last.Input(0).ToArray().Select(v => (int)MathF.Round(v * 255)));
        Assert.Equal([1, 0], Enumerable.Range(0, 2).Select(i => last.Labels(i)[0]));
        Assert.Equal([1, 2, 3], Dataset.FromNumpy(arrays["images"], arrays["labels"], 2).Shape);
        Assert.Contains("labels of shape 2x1x2x3", Assert.Throws<DatasetException>(() => Dataset.FromNumpy(arrays["images"], arrays["images"], 2)).Message);
        Assert.Contains("images of shape 2", Assert.Throws<DatasetException>(() => Dataset.FromNumpy(arrays["labels"], arrays["labels"], 2)).Message);
    }

    [Theory]
    [InlineData("P2\n# made by hand\n2 1 # size\n15\n0 15", new byte[] { 0, 255 })]
    [InlineData("P5 2 1 255\nAz", new byte[] { 65, 122 })]
    [InlineData("P5 2 1 65535\nA\0\0A", new byte[] { 65, 0 })]
    public void PnmImagesAreRead(string text, byte[] expected)
    {
        var image = Pnm.Read(folder.Write("i.pgm", Encoding.ASCII.GetBytes(text)));
        Assert.Equal((2, 1, 1), (image.Width, image.Height, image.Channels));
        Assert.Equal(expected, image.Pixels);
    }

    [Theory]
    [InlineData("P4 2 1\nA", "not a PGM")]
    [InlineData("", "not a PGM")]
    [InlineData("P5 2", "expected a number at byte 4 of 4")]
    [InlineData("P5 0 1 255\n", "impossible size")]
    [InlineData("P5 2 1 99999\n", "impossible size 2x1 or maximum 99999")]
    [InlineData("P5 999999999 999999999 255\n", "impossible size")]
    [InlineData("P5 2 2 255\nabc", "truncated: 3 of 4 bytes")]
    [InlineData("P2 2 1 15\n3 16", "value 16")]
    [InlineData("P2 40000 40000 15\n3", "expected a number")]
    [InlineData("P2 2 1 15\n3 -1", "expected a number")]
    public void DamagedPnmImagesAreRefusedWithAReason(string text, string reason)
    {
        Assert.Contains(reason, Assert.Throws<DatasetException>(() => Pnm.Read(folder.Write("i.pgm", Encoding.ASCII.GetBytes(text)))).Message);
    }

    [Fact]
    public void AFolderForEachClassBecomesADataset()
    {
        foreach (var name in new[] { "dog", "cat" })
        {
            Directory.CreateDirectory(folder[name]);
            Pnm.Write(Path.Combine(folder[name], "1.ppm"), new ImageBytes(1, 2, 3, name == "cat" ? [1, 2, 3, 4, 5, 6] : [9, 9, 9, 9, 9, 9]));
        }

        File.WriteAllText(Path.Combine(folder["dog"], "notes.txt"), "not an image");
        var images = ImageFolder.Read(folder.Path);
        Assert.Equal(["cat", "dog"], images.Classes);
        Assert.Equal([3, 2, 1], images.Data.Shape);
        Assert.Equal([1, 4, 2, 5, 3, 6], images.Data.Input(0).ToArray().Select(v => (int)MathF.Round(v * 255)));
        Assert.Equal(1, images.Data.Labels(1)[0]);
        Pnm.Write(Path.Combine(folder["dog"], "2.ppm"), new ImageBytes(2, 1, 3, new byte[6]));
        Assert.Contains("one size", Assert.Throws<DatasetException>(() => ImageFolder.Read(folder.Path)).Message);
        Assert.Contains("no .png, .pgm", Assert.Throws<DatasetException>(() => ImageFolder.Read(folder["cat"])).Message);
        Assert.Throws<ArgumentException>(() => Pnm.Write(folder["x"], new ImageBytes(2, 2, 1, new byte[3])));
    }

    private static byte[] Npy(string header, ReadOnlySpan<byte> data) =>
        [0x93, .. "NUMPY"u8, 1, 0, .. BitConverter.GetBytes((ushort)header.Length), .. Encoding.ASCII.GetBytes(header), .. data];
}
