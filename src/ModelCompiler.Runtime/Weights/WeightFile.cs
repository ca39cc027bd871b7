// A weight file is compared with the network as a whole: someone who loads the wrong one learns all that differs at
// once, and keeps the weights there were.
namespace ModelCompiler.Runtime;

internal static class WeightFile
{
    /// <summary>PyTorch's batch norm counts its batches; nothing here needs the count.</summary>
    private const string BatchCounter = "num_batches_tracked";

    public static void Load(ParameterSet parameters, string path, bool strict)
    {
        var stored = Safetensors.Read(path).Where(t => !IsBatchCounter(t.Name));
        var comparison = new TensorComparison(path, stored);
        var found = comparison.Floats(parameters.All.Select(p => (p.Name, p.Info.Shape)));
        comparison.ThrowIfDifferent(strict);
        foreach (var parameter in parameters.All)
        {
            found[parameter.Name].ToFloats().CopyTo(parameter.Values);
        }

        parameters.Touch();
    }

    public static void Save(ParameterSet parameters, string path) =>
        Safetensors.Write(path, parameters.All.Select(p => new StoredTensor(p.Name, p.Shape, p.Values)).ToArray());

    private static bool IsBatchCounter(string name) =>
        name == BatchCounter || name.EndsWith("." + BatchCounter, StringComparison.Ordinal);
}
