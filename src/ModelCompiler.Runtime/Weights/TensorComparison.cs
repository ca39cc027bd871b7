// What a file holds against what is wanted: collects every difference before anything is changed.
namespace ModelCompiler.Runtime;

internal sealed class TensorComparison(string path, IEnumerable<StoredTensor> stored)
{
    private readonly Dictionary<string, StoredTensor> left = stored.ToDictionary(t => t.Name, StringComparer.Ordinal);
    private readonly List<string> differences = [];

    /// <summary>Takes the tensors of real numbers with these names and shapes; what is missing or different is noted.</summary>
    public Dictionary<string, StoredTensor> Floats(IEnumerable<(string Name, int[] Shape)> wanted) =>
        wanted.Select(w => Float(w.Name, w.Shape)).OfType<StoredTensor>().ToDictionary(t => t.Name, StringComparer.Ordinal);

    /// <summary>The same for one; null when it is missing or different.</summary>
    public StoredTensor? Float(string name, int[] shape) => Take(name, shape, "F32", t => t.IsFloat);

    /// <summary>Takes one whole number; 0 when it is missing, which is noted.</summary>
    public long Integer(string name) => Take(name, [], "I64", t => t.IsInteger)?.ToIntegers()[0] ?? 0;

    /// <param name="strict">Whether tensors that nobody took count as a difference.</param>
    /// <exception cref="WeightsException">There are differences; it lists them all.</exception>
    public void ThrowIfDifferent(bool strict)
    {
        if (strict)
        {
            differences.AddRange(left.Values.Select(t => $"unexpected: '{t.Name}' ({Shapes.Text(t.Shape)}) is in the file but not in the network."));
        }

        if (differences.Count > 0)
        {
            throw new WeightsException(path, differences);
        }
    }

    private StoredTensor? Take(string name, int[] shape, string type, Func<StoredTensor, bool> fits)
    {
        if (!left.Remove(name, out var tensor))
        {
            differences.Add($"missing: '{name}' ({Shapes.Text(shape)}).");
        }
        else if (!tensor.Has(shape))
        {
            differences.Add($"shape of '{name}': the network has {Shapes.Text(shape)}, the file {Shapes.Text(tensor.Shape)}.");
        }
        else if (!fits(tensor))
        {
            differences.Add($"type of '{name}': the network has {type}, the file {tensor.ElementType}, which does not convert.");
        }
        else
        {
            return tensor;
        }

        return null;
    }
}
