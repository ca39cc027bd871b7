// A tensor as a file holds it, whatever its element type.
using System.Runtime.InteropServices;

namespace ModelCompiler.Runtime;

/// <summary>Name, shape and values of one tensor of a safetensors file.</summary>
public sealed class StoredTensor
{
    internal StoredTensor(string name, string elementType, long[] shape, byte[] bytes)
    {
        Name = name;
        ElementType = elementType;
        Shape = shape;
        Bytes = bytes;
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

    public IReadOnlyList<long> Shape { get; }

    /// <summary>Whether <see cref="ToFloats"/> can read it.</summary>
    public bool IsFloat => ElementType is "F32" or "F64" or "F16" or "BF16";

    /// <summary>Whether <see cref="ToIntegers"/> can read it.</summary>
    public bool IsInteger => ElementType is "I64" or "I32" or "I16" or "I8" or "U8";

    internal byte[] Bytes { get; }

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
    public float[] ToFloats() => ElementType switch
    {
        "F32" => MemoryMarshal.Cast<byte, float>(Bytes).ToArray(),
        "F64" => Array.ConvertAll(MemoryMarshal.Cast<byte, double>(Bytes).ToArray(), value => (float)value),
        "F16" => Array.ConvertAll(MemoryMarshal.Cast<byte, Half>(Bytes).ToArray(), value => (float)value),
        "BF16" => Array.ConvertAll(MemoryMarshal.Cast<byte, ushort>(Bytes).ToArray(), value => BitConverter.UInt32BitsToSingle((uint)value << 16)),
        _ => throw new InvalidOperationException($"tensor '{Name}' holds {ElementType}, not real numbers (F32, F64, F16 or BF16)."),
    };

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

    private void Check(int count)
    {
        var expected = Shape.Aggregate(1L, (product, size) => product * size);
        if (expected != count)
        {
            throw new ArgumentException($"tensor '{Name}' of shape {Shapes.Text(Shape)} has {expected} elements, not {count}.");
        }
    }
}
