// Weight files come from anywhere: what is right must load exactly, what is wrong must say so and change nothing.
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;

namespace ModelCompiler.Runtime.Tests;

public sealed class SafetensorsTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void SavedWeightsLoadUnchanged()
    {
        using var saved = new ParameterSet(Logistic.Info);
        saved.Initialize(7);
        saved["seen"].Set([float.NaN]);
        saved.Save(folder["w.safetensors"]);
        using var loaded = new ParameterSet(Logistic.Info);
        var version = loaded.Version;
        loaded.Load(folder["w.safetensors"]);
        Assert.NotEqual(version, loaded.Version);
        Assert.True(MemoryMarshal.AsBytes(saved.Storage).SequenceEqual(MemoryMarshal.AsBytes(loaded.Storage)));
        Assert.Equal(["w.safetensors"], Directory.GetFiles(folder.Path).Select(Path.GetFileName));
    }

    [Fact]
    public void LoadedValuesSurviveTheEndOfTheirFile()
    {
        using var saved = new ParameterSet(Logistic.Info);
        saved.Initialize(7);
        saved.Save(folder["w.safetensors"]);
        using var deleted = new ParameterSet(Logistic.Info);
        deleted.Load(folder["w.safetensors"]);
        using var replaced = new ParameterSet(Logistic.Info);
        replaced.Load(folder["w.safetensors"]);
        using var other = new ParameterSet(Logistic.Info);
        other.Initialize(8);
        other.Save(folder["w.safetensors"]);
        File.Delete(folder["w.safetensors"]);
        Assert.Equal(saved["fc.weight"].ToArray(), deleted["fc.weight"].ToArray());
        Assert.True(saved.Storage.SequenceEqual(replaced.Storage));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void AFileThatChangesBeforeItsValuesAreUsedIsAnError(bool shrinks)
    {
        using var saved = new ParameterSet(Logistic.Info);
        saved.Initialize(7);
        saved.Save(folder["w.safetensors"]);
        using var loaded = new ParameterSet(Logistic.Info);
        loaded.Load(folder["w.safetensors"]);
        using (var file = new FileStream(folder["w.safetensors"], FileMode.Open, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete))
        {
            file.SetLength(file.Length + (shrinks ? -8 : 8));
        }

        var exception = Assert.Throws<WeightsException>(() => loaded["fc.weight"].ToArray());
        Assert.Contains("w.safetensors: was written to after it was loaded", exception.Message);
        Assert.Throws<WeightsException>(() => loaded.Storage.Length);
        loaded["fc.bias"].Set([1f, 2f, 3f]);
        Assert.Equal([1f, 2f, 3f], loaded["fc.bias"].ToArray());
        saved.Save(folder["w.safetensors"]);
        loaded.Load(folder["w.safetensors"]);
        Assert.Equal(saved["fc.weight"].ToArray(), loaded["fc.weight"].ToArray());
    }

    [Fact]
    public void TheFileIsWhatTheFormatSays()
    {
        Safetensors.Write(folder["x"], [new StoredTensor("a\"ü", [2], [1f, -2f]), new StoredTensor("n", [], [5L])]);
        var bytes = File.ReadAllBytes(folder["x"]);
        var header = (int)BinaryPrimitives.ReadInt64LittleEndian(bytes);
        Assert.Equal(0, header % 8);
        Assert.Equal(8 + header + 16, bytes.Length);
        using var json = System.Text.Json.JsonDocument.Parse(bytes.AsMemory(8, header));
        Assert.Equal("[8,16]", json.RootElement.GetProperty("n").GetProperty("data_offsets").GetRawText());
        Assert.Equal("I64", json.RootElement.GetProperty("n").GetProperty("dtype").GetString());
        var back = Safetensors.Read(folder["x"]);
        Assert.Equal([1f, -2f], back.Single(t => t.Name == "a\"ü").ToFloats());
        Assert.Equal([5L], back[1].ToIntegers());
        Assert.Empty(back[1].Shape);
    }

    [Fact]
    public void OtherElementTypesAreConverted()
    {
        (string Type, byte[] Bytes)[] cases =
        [
            ("F64", [.. BitConverter.GetBytes(1.5), .. BitConverter.GetBytes(-0.1), .. BitConverter.GetBytes(1e300)]),
            ("F16", [.. BitConverter.GetBytes((Half)1.5), .. BitConverter.GetBytes((Half)(-0.1)), .. BitConverter.GetBytes(Half.PositiveInfinity)]),
            ("BF16", [0xC0, 0x3F, 0xCD, 0xBD, 0x80, 0x7F]),
        ];
        foreach (var (type, bytes) in cases)
        {
            var file = folder.Write(type, Raw($$$"""{"fc.bias":{"dtype":"{{{type}}}","shape":[3],"data_offsets":[0,{{{bytes.Length}}}]}}""", bytes));
            var values = Safetensors.Read(file)[0].ToFloats();
            Assert.Equal(1.5f, values[0]);
            Assert.Equal(-0.1f, values[1], 1e-3f);
            Assert.Equal(float.PositiveInfinity, values[2]);
        }
    }

    [Fact]
    public void IntegersConvert()
    {
        var file = folder.Write("i", Raw("""{"t":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"s":{"dtype":"I16","shape":[1],"data_offsets":[2,4]}}""", [1, 255, 0xFE, 0xFF]));
        var tensors = Safetensors.Read(file);
        Assert.Equal([1L, 255L], tensors[0].ToIntegers());
        Assert.Equal([-2L], tensors[1].ToIntegers());
        Assert.Contains("U8", Assert.Throws<InvalidOperationException>(tensors[0].ToFloats).Message);
    }

    [Fact]
    public void EveryDifferenceIsListedAndNothingChanges()
    {
        Safetensors.Write(folder["w"],
        [
            new StoredTensor("fc.weight", [6, 3], new float[18]),
            new StoredTensor("seen", [1], [3L]),
            new StoredTensor("head.weight", [2, 2], new float[4]),
            new StoredTensor("bn.num_batches_tracked", [], [9L]),
            new StoredTensor("attn.relative_position_index", [2, 2], [0L, 1, 1, 0]),
        ]);
        using var set = new ParameterSet(Logistic.Info);
        set.Initialize(1);
        var (before, version) = (set.Storage.ToArray(), set.Version);
        var exception = Assert.Throws<WeightsException>(() => set.Load(folder["w"]));
        Assert.Equal(
            [
                "shape of 'fc.weight': the network has 3x6, the file 6x3.",
                "missing: 'fc.bias' (3).",
                "type of 'seen': the network has F32, the file I64, which does not convert.",
                "unexpected: 'head.weight' (2x2) is in the file but not in the network.",
            ],
            exception.Differences);
        Assert.All(exception.Differences, difference => Assert.Contains(difference, exception.Message));
        Assert.Contains("4 differences", exception.Message);
        Assert.Equal(before, set.Storage.ToArray());
        Assert.Equal(version, set.Version);
    }

    [Fact]
    public void UnexpectedTensorsMayBeIgnoredButMissingOnesMayNot()
    {
        using var set = new ParameterSet(Logistic.Info);
        StoredTensor[] tensors =
        [
            new("fc.weight", [3, 6], Enumerable.Range(0, 18).Select(i => (float)i).ToArray()),
            new("fc.bias", [3], [1f, 2f, 3f]),
            new("seen", [1], [4f]),
            new("extra", [1], [5f]),
        ];
        Safetensors.Write(folder["w"], tensors);
        Assert.Throws<WeightsException>(() => set.Load(folder["w"]));
        set.Load(folder["w"], strict: false);
        Assert.Equal([1f, 2f, 3f], set["fc.bias"].ToArray());
        Safetensors.Write(folder["w"], tensors[1..]);
        Assert.Equal(["missing: 'fc.weight' (3x6)."], Assert.Throws<WeightsException>(() => set.Load(folder["w"], strict: false)).Differences);
    }

    private const string Plain =
        """{ "__metadata__" : {"format":"pt","sha256_of_tensors":"0a"},"a.b":{"shape":[2,0],"data_offsets":[0,0],"dtype":"F32"},"c":{"dtype":"I64","shape":[],"data_offsets":[0,8]} }  """;

    [Fact]
    public void AUsualHeaderIsReadWithoutJson()
    {
        var entries = PlainHeader.Read(Encoding.ASCII.GetBytes(Plain), out var checksum)!;
        Assert.Equal("0a", checksum);
        Assert.Equal([("a.b", "F32", "2x0", 0L, 0L), ("c", "I64", "scalar", 0L, 8L)], entries.Select(e => (e.Name, e.ElementType, Shapes.Text(e.Shape), e.Begin, e.End)));
        Assert.Empty(PlainHeader.Read("{}"u8, out checksum)!);
        Assert.Null(checksum);
    }

    [Fact]
    public void EveryBeginningOfAHeaderIsRefused()
    {
        var bytes = Encoding.ASCII.GetBytes(Plain.TrimEnd());
        for (var length = 0; length < bytes.Length; length++)
        {
            Assert.Null(PlainHeader.Read(bytes.AsSpan(0, length), out _));
        }
    }

    /// <summary>What is unusual is the general reader's to judge, right or wrong.</summary>
    [Theory]
    [InlineData("""{"a\u0062":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""")]
    [InlineData("""{"ä":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""")]
    [InlineData("""{"a":{"dtype":"F32","shape":[01],"data_offsets":[0,4]}}""")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1e0],"data_offsets":[0,4]}}""")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1111111111111111111],"data_offsets":[0,4]}}""")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1],"data_offsets":[0,4]}}""")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1,],"data_offsets":[0,4]}}""")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"more":1}}""")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},}""")]
    [InlineData("""{"__metadata__":{"n":1}}""")]
    [InlineData("""{} {}""")]
    public void AnUnusualHeaderIsLeftToTheGeneralReader(string header) => Assert.Null(PlainHeader.Read(Encoding.UTF8.GetBytes(header), out _));

    /// <summary>Each of them once crashed, hung or fooled some reader of the format.</summary>
    [Theory]
    [InlineData("", "", "has only 0 bytes", false)]
    [InlineData("abc", "", "has only 3 bytes", false)]
    [InlineData("{", "", "JSON")]
    [InlineData("[]", "", "expected StartObject")]
    [InlineData("""{"a":3}""", "", "tensor 'a': expected StartObject")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}} x""", "1234", "JSON")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", "1234", "truncated")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}""", "1234", "takes 8 bytes")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}""", "1234", "claims bytes 4 to 0")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0]}}""", "1234", "two data_offsets")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1]}}""", "1234", "two data_offsets")]
    [InlineData("""{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}""", "1234", "whole numbers")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}}""", "1234", "whole numbers")]
    [InlineData("""{"a":{"dtype":"F32","shape":["1"],"data_offsets":[0,4]}}""", "1234", "whole numbers")]
    [InlineData("""{"a":{"dtype":"F32","shape":[99999999999999999999],"data_offsets":[0,4]}}""", "1234", "whole numbers")]
    [InlineData("""{"a":{"dtype":"F32","shape":[4294967296,4294967296,4294967296],"data_offsets":[0,4]}}""", "1234", "impossible shape")]
    [InlineData("""{"a":{"dtype":"F32","shape":[4611686018427387905],"data_offsets":[0,4]}}""", "1234", "impossible shape")]
    [InlineData("""{"a":{"dtype":"Q4","shape":[1],"data_offsets":[0,4]}}""", "1234", "unknown dtype 'Q4'")]
    [InlineData("""{"a":{"dtype":1,"shape":[1],"data_offsets":[0,4]}}""", "1234", "dtype of 'a'")]
    [InlineData("""{"a":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", "1234", "appears twice")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", "12345678", "'a' appears twice")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[2,6]}}""", "123456", "'b' overlaps 'a'")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", "1234", "'b' overlaps 'a'")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", "12345678", "belong to no tensor")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", "12345678", "4 bytes after the last tensor")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"extra":[]}}""", "1234", "'extra' is unknown")]
    [InlineData("""{"\ud800":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", "1234", "JSON")]
    public void DamagedFilesAreRefusedWithAReason(string header, string data, string reason, bool prefixed = true)
    {
        var bytes = prefixed ? Raw(header, Encoding.ASCII.GetBytes(data)) : Encoding.ASCII.GetBytes(header);
        var file = folder.Write("bad", bytes);
        var exception = Assert.Throws<WeightsException>(() => Safetensors.Read(file));
        Assert.Contains(reason, exception.Message);
        Assert.Contains(file, exception.Message);
    }

    [Theory]
    [InlineData(ulong.MaxValue)]
    [InlineData(1UL << 63)]
    [InlineData(100_000_001UL)]
    [InlineData(25UL)]
    public void AHeaderLengthBeyondTheFileIsRefused(ulong length)
    {
        var bytes = new byte[32];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, length);
        Assert.Contains($"claims {length} bytes, of 24", Assert.Throws<WeightsException>(() => Safetensors.Read(folder.Write("bad", bytes))).Message);
    }

    [Fact]
    public void NestingInMetadataDoesNotOverflow()
    {
        var header = "{\"__metadata__\":" + new string('[', 1_000_000) + "}";
        Assert.Contains("JSON", Assert.Throws<WeightsException>(() => Safetensors.Read(folder.Write("bad", Raw(header, [])))).Message);
    }

    [Fact]
    public void EmptyAndUnalignedTensorsAreFine()
    {
        var file = folder.Write("odd", Raw("""
            {"b":{"dtype":"BOOL","shape":[1],"data_offsets":[0,1]},"e":{"dtype":"F32","shape":[0,4294967296],"data_offsets":[1,1]},
             "f":{"dtype":"F32","shape":[1],"data_offsets":[1,5]}}
            """, [1, 0, 0, 0x80, 0x3F]));
        var tensors = Safetensors.Read(file);
        Assert.Empty(tensors.Single(t => t.Name == "e").ToFloats());
        Assert.Equal([1f], tensors.Single(t => t.Name == "f").ToFloats());
    }

    [Fact]
    public void FilesThatAreNoneAreClear()
    {
        Assert.Throws<FileNotFoundException>(() => Safetensors.Read(folder["absent"]));
        Assert.Contains("directory", Assert.Throws<WeightsException>(() => Safetensors.Read(folder.Path)).Message);
        Assert.Contains("directory", Assert.Throws<IOException>(() => Safetensors.Write(folder.Path, [])).Message);
        Assert.Throws<ArgumentException>(() => Safetensors.Write(folder["x"], [new StoredTensor("a", [], [1f]), new StoredTensor("a", [], [1f])]));
        Assert.Throws<ArgumentException>(() => new StoredTensor("a", [2], [1f]));
        Assert.Empty(Directory.GetFiles(folder.Path));
    }

    [Fact]
    public void AFailedWriteKeepsTheOldFile()
    {
        using var set = new ParameterSet(Logistic.Info);
        set.Save(folder["w"]);
        var old = File.ReadAllBytes(folder["w"]);
        using (var file = new AtomicFile(folder["w"]))
        {
            file.Stream.Write(new byte[1000]);
            Assert.Equal(2, Directory.GetFiles(folder.Path).Length);
        }

        Assert.Equal(old, File.ReadAllBytes(folder["w"]));
        Assert.Single(Directory.GetFiles(folder.Path));
    }

    /// <summary>Whatever bytes are changed, cut or added: the file reads, or it is refused; nothing else happens.</summary>
    [Fact]
    public void FuzzedFilesReadOrAreRefused()
    {
        using var set = new ParameterSet(Logistic.Info);
        set.Initialize(3);
        set.Save(folder["seed"]);
        var original = File.ReadAllBytes(folder["seed"]);
        var before = set.Storage.ToArray();
        var random = new RandomGenerator(2024);
        string[] words = ["{", "}", "[", "]", ":", ",", "\"", "-1", "1e9", "18446744073709551616", "null", "\\u0000", "__metadata__", "F16", "data_offsets", "shape"];
        var refused = 0;
        for (var round = 0; round < 3_000; round++)
        {
            var bytes = original.ToList();
            for (var edit = random.Next(4); edit >= 0; edit--)
            {
                var place = random.Next(4) == 0 ? random.Next(bytes.Count) : random.Next(Math.Min(bytes.Count, 280));
                switch (random.Next(5))
                {
                    case 0:
                        bytes[place] = (byte)random.Next(256);
                        break;
                    case 1:
                        bytes[place] ^= (byte)(1 << random.Next(8));
                        break;
                    case 2:
                        bytes.RemoveRange(place, Math.Min(1 + random.Next(8), bytes.Count - place));
                        break;
                    case 3:
                        bytes.InsertRange(place, Encoding.ASCII.GetBytes(words[random.Next(words.Length)]));
                        break;
                    default:
                        bytes.RemoveRange(place, bytes.Count - place);
                        break;
                }

                if (bytes.Count == 0)
                {
                    break;
                }
            }

            try
            {
                set.Load(folder.Write("fuzzed", bytes.ToArray()));
            }
            catch (WeightsException)
            {
                refused++;
                Assert.Equal(before, set.Storage.ToArray());
            }

            before = set.Storage.ToArray();
        }

        Assert.InRange(refused, 2_000, 2_999);
    }

    private static byte[] Raw(string header, byte[] data)
    {
        var json = Encoding.UTF8.GetBytes(header);
        return [.. BitConverter.GetBytes((long)json.Length), .. json, .. data];
    }
}
