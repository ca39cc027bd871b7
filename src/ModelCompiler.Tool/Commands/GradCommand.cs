// cnnc grad: loss and gradients of one batch, without an update. This is how training is compared with
// other frameworks from outside.
using System.CommandLine;
using ModelCompiler.Runtime;

namespace ModelCompiler.Tool.Commands;

internal static class GradCommand
{
    public static Command Create(Session session)
    {
        var (file, network, weights, threads) = (Arguments.File(), Arguments.Network(), Arguments.Weights(required: true), Arguments.Threads());
        var input = Arguments.Input("Tensors named as the network's inputs and targets, batch first; class targets as int64.");
        var output = Arguments.Output("The file to write: 'loss', gradients by weight name, 'input.NAME' for each input.", "G.safetensors");
        var command = new Command("grad", "Computes the loss of one batch and all its gradients, in training mode.") { file, network, weights, input, output, threads };
        command.SetAction(parsed =>
        {
            using var assembly = NetworkAssembly.Compile(session, parsed.GetRequiredValue(file), parsed.GetValue(network), inputGradients: true);
            var tensors = new TensorFile(parsed.GetRequiredValue(input));
            using var training = assembly.CreateTraining(Samples(assembly, tensors), parsed.GetValue(threads));
            training.Parameters.Load(parsed.GetRequiredValue(weights));
            Fill(training, tensors);
            training.ComputeGradients();
            Safetensors.Write(parsed.GetRequiredValue(output), Results(training));
            return Program.Success;
        });
        return command;
    }

    private static int Samples(NetworkAssembly assembly, TensorFile tensors)
    {
        using var single = assembly.CreateTraining(batch: 1, threads: 1);
        return tensors.Samples(single.Info.Inputs.Concat(single.Info.Targets));
    }

    private static void Fill(TrainingNetwork training, TensorFile tensors)
    {
        foreach (var tensor in training.Inputs.Concat(training.Targets))
        {
            if (tensor.Info.Kind == TensorKind.Class)
            {
                tensors.Classes(tensor.Info).CopyTo(tensor.Classes);
            }
            else
            {
                tensors.Floats(tensor.Info).CopyTo(tensor.Data);
            }
        }
    }

    private static StoredTensor[] Results(TrainingNetwork training) =>
    [
        new StoredTensor("loss", [], [training.Loss]),
        .. training.Gradients.All.Select(gradient => new StoredTensor(gradient.Name, gradient.Shape, gradient.Values)),
        .. training.InputGradients.Select(tensor =>
            new StoredTensor("input." + tensor.Info.Name, tensor.Info.Shape.Prepend(training.Batch), (ReadOnlySpan<float>)tensor.Data)),
    ];
}
