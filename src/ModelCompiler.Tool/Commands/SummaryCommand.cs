// cnnc summary: the layers of a network with their sizes and costs, as a table or as JSON.
using System.CommandLine;
using System.Text.Json;

namespace ModelCompiler.Tool.Commands;

internal static class SummaryCommand
{
    private static readonly JsonSerializerOptions JsonForm = new() { PropertyNamingPolicy = JsonNamingPolicy.CamelCase, WriteIndented = true };

    public static Command Create(Session session)
    {
        var (file, network, json) = (Arguments.File(), Arguments.Network(), Arguments.Json());
        var command = new Command("summary", "Lists the layers of a network: shapes, parameters, multiply-adds, memory, receptive fields.") { file, network, json };
        command.SetAction(parsed =>
        {
            var path = parsed.GetRequiredValue(file);
            var summary = NetworkSummary.Of(CnnFiles.Evaluate(session, path, parsed.GetValue(network)), CnnFiles.Tuning(path));
            session.Output.WriteLine(parsed.GetValue(json) ? JsonSerializer.Serialize(summary, JsonForm) : Table(summary));
            return Program.Success;
        });
        return command;
    }

    private static string Table(NetworkSummary summary)
    {
        string[] head = ["layer", "operator", "output", "parameters", "MACs", "bytes", "sees", "kernel"];
        var rows = summary.Layers.Select(layer => new[]
        {
            layer.Path, layer.Arguments.Length > 0 ? $"{layer.Operator}({layer.Arguments})" : layer.Operator, Dims(layer.OutputShape),
            $"{layer.Parameters:N0}", $"{layer.Macs:N0}", $"{layer.ActivationBytes:N0}", layer.ReceptiveField is null ? "" : Dims(layer.ReceptiveField.Size), layer.Kernel,
        }).ToList();
        var totals = summary.Totals;
        string[] last = ["total", "", "", $"{totals.Parameters:N0}", $"{totals.Macs:N0}", $"{totals.ActivationBytes:N0}", "", ""];
        var all = rows.Prepend(head).Append(last).ToList();
        var widths = Enumerable.Range(0, head.Length).Select(column => all.Max(row => row[column].Length)).ToArray();
        var lines = all.Select(row => string.Join("  ", row.Select((cell, column) =>
            column is 3 or 4 or 5 ? cell.PadLeft(widths[column]) : cell.PadRight(widths[column]))).TrimEnd());
        return $"{summary.Network}: {Tensors(summary.Inputs)} -> {Tensors(summary.Outputs)}{Environment.NewLine}{string.Join(Environment.NewLine, lines)}";
    }

    private static string Tensors(IEnumerable<TensorSummary> tensors) => string.Join(", ", tensors.Select(t => $"{t.Name} {Dims(t.Shape)}"));

    private static string Dims(int[] sizes) => sizes.Length == 0 ? "scalar" : string.Join("x", sizes);
}
