// Losses that are given something else than the scores they work on: probabilities for logits, or nothing to choose from.
using ModelCompiler.Grammar;
using ModelCompiler.Graph;

namespace ModelCompiler.Advice;

internal static class LossInputs
{
    public static void Check(LayerGraph layers, Hint hint)
    {
        foreach (var loss in layers.Graph.Layers.Where(layer => layer.Operator is "cross_entropy" or "binary_cross_entropy" or "nll"))
        {
            CheckScores(layers.Maker(loss.Inputs[0]), loss, hint);
            var scores = loss.Inputs[0].Shape;
            if (loss.Operator != "binary_cross_entropy" && scores.Rank > 0 && scores[0] == 1)
            {
                hint("CNN4013", loss.Place, $"'{loss.Operator}' chooses among classes, and {scores} is the score of one: the loss is always 0; give each class a score, or use 'binary_cross_entropy' with a target of shape {scores}");
            }
        }
    }

    private static void CheckScores(Layer? maker, Layer loss, Hint hint)
    {
        var problem = (loss.Operator, maker?.Operator) switch
        {
            ("cross_entropy", "softmax" or "log_softmax") => "'cross_entropy' applies softmax itself",
            ("binary_cross_entropy", "sigmoid" or "softmax") => "'binary_cross_entropy' applies sigmoid itself",
            ("nll", "softmax") => "'nll' takes logarithms of probabilities",
            _ => null,
        };
        if (problem is not null && maker is not null)
        {
            var remedy = loss.Operator == "nll" ? "use 'log_softmax' there, or 'cross_entropy' on the logits" : $"give it the logits, the input of '{maker.Operator}'";
            hint("CNN4002", loss.Place, $"{problem}, and its input comes from '{maker.Operator}' (line {maker.Place.Line}); {remedy}",
                new DiagnosticNote(maker.Place, $"'{maker.Operator}' is applied here"));
        }
    }
}
