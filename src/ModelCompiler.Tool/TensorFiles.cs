// Tensors in safetensors files, matched with the inputs, targets and outputs of a network by name; the first
// axis is the batch.
using ModelCompiler.Runtime;

namespace ModelCompiler.Tool;

/// <summary>The tensors a run needs, read from a file and checked before the network exists.</summary>
internal sealed class TensorFile
{
    private readonly string path;
    private readonly Dictionary<string, StoredTensor> byName;

    public TensorFile(string path)
    {
        this.path = path;
        byName = Safetensors.Read(path).ToDictionary(tensor => tensor.Name, StringComparer.Ordinal);
    }

    /// <summary>Samples in the file, in which all wanted tensors must agree.</summary>
    public int Samples(IEnumerable<TensorInfo> wanted)
    {
        var tensors = wanted.Select(info => (Info: info, Stored: Find(info))).ToList();
        foreach (var (info, stored) in tensors)
        {
            if (stored.Shape.Count == 0 || !stored.Shape.Skip(1).SequenceEqual(info.Shape.Select(size => (long)size)))
            {
                throw new ToolException($"{path}: '{info.Name}' is {Dims(stored.Shape)}, but the network takes {Expected(info)}, the batch first");
            }

            if (info.Kind == TensorKind.Class ? !stored.IsInteger : !stored.IsFloat)
            {
                throw new ToolException($"{path}: '{info.Name}' holds {stored.ElementType}, but the network takes {(info.Kind == TensorKind.Class ? "class numbers (I64)" : "real numbers (F32)")}");
            }
        }

        var counts = tensors.Select(pair => pair.Stored.Shape[0]).Distinct().ToList();
        return counts.Count == 1 && counts[0] is > 0 and <= int.MaxValue
            ? (int)counts[0]
            : throw new ToolException($"{path}: the tensors need the same number of samples, at least one; they have {string.Join(" and ", counts)}");
    }

    public float[] Floats(TensorInfo info) => Find(info).ToFloats();

    public int[] Classes(TensorInfo info)
    {
        var classes = Find(info).ToIntegers();
        var wrong = Array.FindIndex(classes, value => value < 0 || value >= info.Classes);
        return wrong < 0
            ? Array.ConvertAll(classes, value => (int)value)
            : throw new ToolException($"{path}: '{info.Name}' has class {classes[wrong]} at element {wrong}, outside 0 to {info.Classes - 1}");
    }

    private StoredTensor Find(TensorInfo info) => byName.TryGetValue(info.Name, out var tensor)
        ? tensor
        : throw new ToolException($"{path}: there is no tensor '{info.Name}' ({Expected(info)}) in the file; it has {(byName.Count == 0 ? "none" : string.Join(", ", byName.Keys.Take(10)))}");

    private static string Expected(TensorInfo info) => "N" + string.Concat(info.Shape.Select(size => $"x{size}"));

    private static string Dims(IReadOnlyList<long> shape) => shape.Count == 0 ? "a scalar" : string.Join("x", shape);
}
