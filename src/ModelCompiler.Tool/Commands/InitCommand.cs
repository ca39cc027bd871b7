// cnnc init: a weight file as training would start with.
using System.CommandLine;
using ModelCompiler.Graph;
using ModelCompiler.Runtime;
using InitializerKind = ModelCompiler.Runtime.InitializerKind;

namespace ModelCompiler.Tool.Commands;

internal static class InitCommand
{
    /// <summary>Parameters start at multiples of a cache line.</summary>
    private const int Alignment = 16;

    public static Command Create(Session session)
    {
        var (file, network) = (Arguments.File(), Arguments.Network());
        var seed = new Option<ulong>("--seed") { Description = "The same seed gives the same weights on every machine.", DefaultValueFactory = _ => 1, HelpName = "S" };
        var output = Arguments.Output("The weight file to write.", "W.safetensors");
        var command = new Command("init", "Writes freshly initialised weights.") { file, network, seed, output };
        command.SetAction(parsed =>
        {
            var graph = CnnFiles.Evaluate(session, parsed.GetRequiredValue(file), parsed.GetValue(network));
            using var parameters = new ParameterSet(Describe(graph));
            parameters.Initialize(parsed.GetValue(seed));
            parameters.Save(parsed.GetRequiredValue(output));
            return Program.Success;
        });
        return command;
    }

    /// <summary>The parameters alone: initial weights do not depend on how the network is compiled.</summary>
    private static NetworkInfo Describe(NetworkGraph graph)
    {
        var offset = 0;
        var parameters = graph.Parameters.Select(node => node.As<ParameterAttributes>()).OrderByDescending(p => p.Trainable).Select(p =>
        {
            var info = new ParameterInfo(
                p.Name, [.. p.Shape.Dimensions], offset, p.Trainable, Enum.Parse<InitializerKind>(p.Initializer.Kind.ToString()),
                (float)p.Initializer.Value, p.Initializer.FanIn, p.Initializer.FanOut);
            offset = checked(offset + ((info.Count + Alignment - 1) / Alignment * Alignment));
            return (Info: info, End: offset);
        }).ToList();
        var trainable = parameters.LastOrDefault(p => p.Info.Trainable).End;
        return new NetworkInfo(graph.Name, [], [], [], parameters.Select(p => p.Info).ToArray(), [], offset, trainable, 0, 0);
    }
}
