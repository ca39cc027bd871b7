// A weight file is compared with the network as a whole: someone who loads the wrong one learns all that differs at
// once, and keeps the weights there were.
namespace ModelCompiler.Runtime;

internal static class WeightFile
{
    /// <summary>PyTorch's batch norm counts its batches; nothing here needs the count.</summary>
    private const string BatchCounter = "num_batches_tracked";

    public static void Load(ParameterSet parameters, string path, bool strict)
    {
        var stored = Safetensors.Read(path).Where(t => !IsBatchCounter(t.Name)).ToDictionary(t => t.Name, StringComparer.Ordinal);
        var differences = new List<string>();
        var found = new List<(Parameter, StoredTensor)>();
        foreach (var parameter in parameters.All)
        {
            if (!stored.Remove(parameter.Name, out var tensor))
            {
                differences.Add($"missing: '{parameter.Name}' ({Shapes.Text(parameter.Shape)}).");
            }
            else if (!tensor.Shape.SequenceEqual(parameter.Shape.Select(size => (long)size)))
            {
                differences.Add($"shape of '{parameter.Name}': the network has {Shapes.Text(parameter.Shape)}, the file {Shapes.Text(tensor.Shape)}.");
            }
            else if (!tensor.IsFloat)
            {
                differences.Add($"type of '{parameter.Name}': the network has F32, the file {tensor.ElementType}, which does not convert.");
            }
            else
            {
                found.Add((parameter, tensor));
            }
        }

        if (strict)
        {
            differences.AddRange(stored.Values.Select(t => $"unexpected: '{t.Name}' ({Shapes.Text(t.Shape)}) is in the file but not in '{parameters.Info.Name}'."));
        }

        if (differences.Count > 0)
        {
            throw new WeightsException(path, differences);
        }

        foreach (var (parameter, tensor) in found)
        {
            tensor.ToFloats().CopyTo(parameter.Values);
        }

        parameters.Touch();
    }

    public static void Save(ParameterSet parameters, string path) =>
        Safetensors.Write(path, parameters.All.Select(p => new StoredTensor(p.Name, p.Shape, p.Values)).ToArray());

    private static bool IsBatchCounter(string name) =>
        name == BatchCounter || name.EndsWith("." + BatchCounter, StringComparison.Ordinal);
}
