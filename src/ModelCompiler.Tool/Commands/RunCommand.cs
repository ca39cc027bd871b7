// cnnc run: outputs for inputs, both in files.
using System.CommandLine;
using ModelCompiler.Runtime;

namespace ModelCompiler.Tool.Commands;

internal static class RunCommand
{
    /// <summary>Samples at a time; results do not depend on it.</summary>
    private const int LargestBatch = 64;

    public static Command Create(Session session)
    {
        var (file, network, weights, threads) = (Arguments.File(), Arguments.Network(), Arguments.Weights(required: true), Arguments.Threads());
        var input = Arguments.Input("Tensors named as the network's inputs, batch first.");
        var output = Arguments.Output("The file to write: tensors named as the network's outputs.", "Y.safetensors");
        var command = new Command("run", "Runs a network on the samples of a file.") { file, network, weights, input, output, threads };
        command.SetAction(parsed =>
        {
            using var assembly = NetworkAssembly.Compile(session, parsed.GetRequiredValue(file), parsed.GetValue(network));
            Run(assembly, parsed.GetRequiredValue(weights), parsed.GetRequiredValue(input), parsed.GetRequiredValue(output), parsed.GetValue(threads));
            return Program.Success;
        });
        return command;
    }

    private static void Run(NetworkAssembly assembly, string weights, string input, string output, int threads)
    {
        var tensors = new TensorFile(input);
        var samples = tensors.Samples(assembly.Info.Inputs);
        using var network = assembly.CreateInference(Math.Min(samples, LargestBatch), threads);
        network.Parameters.Load(weights);
        var inputs = network.Inputs.Select(tensor => tensors.Floats(tensor.Info)).ToArray();
        var outputs = network.Outputs.Select(tensor => new float[(long)samples * tensor.SampleCount]).ToArray();
        for (var start = 0; start < samples; start += network.Batch)
        {
            var count = Math.Min(network.Batch, samples - start);
            Each(network.Inputs, (tensor, i) => inputs[i].AsSpan(start * tensor.SampleCount, count * tensor.SampleCount).CopyTo(tensor.Data));
            network.Forward();
            Each(network.Outputs, (tensor, i) => tensor.Data[..(count * tensor.SampleCount)].CopyTo(outputs[i].AsSpan(start * tensor.SampleCount)));
        }

        Safetensors.Write(output, network.Outputs.Select((tensor, i) => new StoredTensor(tensor.Info.Name, tensor.Info.Shape.Prepend(samples), outputs[i])).ToArray());
    }

    private static void Each(IReadOnlyList<NetworkTensor> tensors, Action<NetworkTensor, int> action)
    {
        for (var i = 0; i < tensors.Count; i++)
        {
            action(tensors[i], i);
        }
    }
}
