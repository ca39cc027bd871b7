// A weight file is compared with the network as a whole: someone who loads the wrong one learns all that differs at
// once, and keeps the weights there were.
using System.IO.Enumeration;

namespace ModelCompiler.Runtime;

internal static class WeightFile
{
    public static void Load(ParameterSet parameters, string path, bool strict) => Load(parameters, parameters.All, path, strict);

    public static void LoadMatching(ParameterSet parameters, string path, string pattern)
    {
        var wanted = parameters.All.Where(p => FileSystemName.MatchesSimpleExpression(pattern, p.Name, ignoreCase: false)).ToArray();
        if (wanted.Length == 0)
        {
            throw new ArgumentException($"'{pattern}' matches no parameter of '{parameters.Info.Name}'.", nameof(pattern));
        }

        Load(parameters, wanted, path, strict: false);
    }

    public static void Save(ParameterSet parameters, string path) =>
        Safetensors.Write(path, parameters.All.Select(p => new StoredTensor(p.Name, p.Shape, p.Values)).ToArray());

    private static void Load(ParameterSet parameters, IReadOnlyList<Parameter> wanted, string path, bool strict)
    {
        // Weights are real numbers. Integers beside them are what PyTorch's modules note down for themselves, such as batch
        // norm's num_batches_tracked and Swin's relative_position_index; nothing here needs them.
        var file = TensorFile.Open(path);
        try
        {
            var comparison = new TensorComparison(path, file.Tensors.Where(t => !t.IsInteger || parameters.TryGet(t.Name, out _)));
            var found = new StoredTensor?[wanted.Count];
            for (var i = 0; i < found.Length; i++)
            {
                found[i] = comparison.Float(wanted[i].Name, wanted[i].Info.Shape);
            }

            comparison.ThrowIfDifferent(strict);
            for (var i = 0; i < found.Length; i++)
            {
                parameters.Expect(wanted[i], new PendingValues(found[i]!));
            }
        }
        catch
        {
            file.Dispose();
            throw;
        }

        parameters.Touch();
    }
}
