// Losses on logits that are given probabilities.
using ModelCompiler.Grammar;

namespace ModelCompiler.Advice;

internal static class LossInputs
{
    public static void Check(LayerGraph layers, Hint hint)
    {
        foreach (var loss in layers.Graph.Layers.Where(layer => layer.Operator == "cross_entropy"))
        {
            if (layers.Maker(loss.Inputs[0]) is { Operator: "softmax" or "log_softmax" } softmax)
            {
                hint("CNN4002", loss.Place, $"'cross_entropy' applies softmax itself, and its input comes from '{softmax.Operator}' (line {softmax.Place.Line}); give it the logits, the input of '{softmax.Operator}'",
                    new DiagnosticNote(softmax.Place, $"'{softmax.Operator}' is applied here"));
            }
        }
    }
}
