// A tensor as a file holds it, whatever its element type: in memory, or still in the file.
using System.Runtime.InteropServices;

namespace ModelCompiler.Runtime;

/// <summary>Name, shape and values of one tensor of a safetensors file.</summary>
public sealed class StoredTensor
{
    /// <summary>Values of other types than float32 are converted so many at a time.</summary>
    private const int Piece = 4096;

    private readonly long[] shape;
    private readonly TensorFile? file;
    private readonly long begin;
    private byte[]? bytes;

    /// <summary>Reads its values when they are asked for, while the file is open.</summary>
    internal StoredTensor(TensorFile file, SafetensorsEntry entry)
    {
        (Name, ElementType, shape) = (entry.Name, entry.ElementType, entry.Shape);
        this.file = file;
        (begin, ByteCount) = (entry.Begin, entry.End - entry.Begin);
    }

    internal StoredTensor(string name, string elementType, long[] shape, byte[] bytes)
    {
        Name = name;
        ElementType = elementType;
        this.shape = shape;
        this.bytes = bytes;
        ByteCount = bytes.Length;
    }

    public StoredTensor(string name, IEnumerable<int> shape, ReadOnlySpan<float> values)
        : this(name, "F32", shape.Select(size => (long)size).ToArray(), MemoryMarshal.AsBytes(values).ToArray())
    {
        Check(values.Length);
    }

    /// <summary>Class numbers: int64, as PyTorch keeps them.</summary>
    public StoredTensor(string name, IEnumerable<int> shape, ReadOnlySpan<long> values)
        : this(name, "I64", shape.Select(size => (long)size).ToArray(), MemoryMarshal.AsBytes(values).ToArray())
    {
        Check(values.Length);
    }

    public string Name { get; }

    /// <summary>The format's word: <c>F32</c>, <c>I64</c>, <c>BF16</c>, …</summary>
    public string ElementType { get; }

    public IReadOnlyList<long> Shape => shape;

    internal bool Has(int[] sizes) => Shapes.AreEqual(shape, sizes);

    /// <summary>Whether <see cref="ToFloats"/> can read it.</summary>
    public bool IsFloat => ElementType is "F32" or "F64" or "F16" or "BF16";

    /// <summary>Whether <see cref="ToIntegers"/> can read it.</summary>
    public bool IsInteger => ElementType is "I64" or "I32" or "I16" or "I8" or "U8";

    internal long ByteCount { get; }

    /// <summary>The file that the values are still in; null when they are in memory.</summary>
    internal TensorFile? File => bytes is null ? file : null;

    internal bool HasBytes => bytes is not null;

    internal byte[] Bytes
    {
        get
        {
            if (bytes is not null)
            {
                return bytes;
            }

            var read = new byte[ByteCount];
            ReadBytes(0, read);
            return read;
        }
    }

    internal void Keep() => bytes = Bytes;

    internal void ReadBytes(long from, Span<byte> into)
    {
        try
        {
            file!.Read(begin + from, into);
        }
        catch (EndOfStreamException exception)
        {
            throw file!.Changed(exception);
        }
    }

    /// <summary>The values from number <paramref name="start"/> on, as float32; wider ones are rounded.</summary>
    internal void Read(long start, Span<float> into)
    {
        if (bytes is null && ElementType == "F32")
        {
            ReadBytes(start * sizeof(float), MemoryMarshal.AsBytes(into));
            return;
        }

        var size = ElementSize(ElementType);
        var piece = new byte[Math.Min(into.Length, Piece) * size];
        while (into.Length > 0)
        {
            var part = piece.AsSpan(0, Math.Min(into.Length, Piece) * size);
            if (bytes is null)
            {
                ReadBytes(start * size, part);
            }
            else
            {
                bytes.AsSpan((int)(start * size), part.Length).CopyTo(part);
            }

            var count = part.Length / size;
            for (var i = 0; i < count; i++)
            {
                into[i] = Float(part[(i * size)..]);
            }

            start += count;
            into = into[count..];
        }
    }

    /// <summary>Bytes of one element by the format's word for its type; 0 when there is no such type.</summary>
    internal static int ElementSize(string elementType) => elementType switch
    {
        "F64" or "I64" or "U64" => 8,
        "F32" or "I32" or "U32" => 4,
        "F16" or "BF16" or "I16" or "U16" => 2,
        "I8" or "U8" or "BOOL" or "F8_E4M3" or "F8_E5M2" => 1,
        _ => 0,
    };

    /// <summary>The values as float32; wider ones are rounded.</summary>
    /// <exception cref="InvalidOperationException">The elements are not real numbers.</exception>
    public float[] ToFloats()
    {
        if (!IsFloat)
        {
            throw new InvalidOperationException($"tensor '{Name}' holds {ElementType}, not real numbers (F32, F64, F16 or BF16).");
        }

        var values = new float[ByteCount / ElementSize(ElementType)];
        Read(0, values);
        return values;
    }

    /// <exception cref="InvalidOperationException">The elements are not integers.</exception>
    public long[] ToIntegers() => ElementType switch
    {
        "I64" => MemoryMarshal.Cast<byte, long>(Bytes).ToArray(),
        "I32" => Array.ConvertAll(MemoryMarshal.Cast<byte, int>(Bytes).ToArray(), value => (long)value),
        "I16" => Array.ConvertAll(MemoryMarshal.Cast<byte, short>(Bytes).ToArray(), value => (long)value),
        "I8" => Array.ConvertAll(Bytes, value => (long)(sbyte)value),
        "U8" => Array.ConvertAll(Bytes, value => (long)value),
        _ => throw new InvalidOperationException($"tensor '{Name}' holds {ElementType}, not integers (I64, I32, I16, I8 or U8)."),
    };

    private float Float(ReadOnlySpan<byte> element) => ElementType switch
    {
        "F32" => MemoryMarshal.Read<float>(element),
        "F64" => (float)MemoryMarshal.Read<double>(element),
        "F16" => (float)MemoryMarshal.Read<Half>(element),
        _ => BitConverter.UInt32BitsToSingle((uint)MemoryMarshal.Read<ushort>(element) << 16),
    };

    private void Check(int count)
    {
        var expected = Shape.Aggregate(1L, (product, size) => product * size);
        if (expected != count)
        {
            throw new ArgumentException($"tensor '{Name}' of shape {Shapes.Text(Shape)} has {expected} elements, not {count}.");
        }
    }
}
