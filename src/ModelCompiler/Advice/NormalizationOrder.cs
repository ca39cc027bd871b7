// What batch normalization does to the layers in front of it: it cancels their bias, and dropout disturbs its statistics.
using ModelCompiler.Graph;

namespace ModelCompiler.Advice;

internal static class NormalizationOrder
{
    private const int FarthestDropout = 6;

    public static void Check(LayerGraph layers, Hint hint)
    {
        foreach (var norm in layers.Graph.Layers.Where(layer => layer.Operator == "batchnorm"))
        {
            if (layers.Maker(norm.Inputs[0]) is { Operator: "conv" or "dense" or "upconv" } before
                && before.Parameters.Any(parameter => parameter.As<ParameterAttributes>().Name.EndsWith(".bias", StringComparison.Ordinal)))
            {
                var start = before.Description.Length > 0 ? before.Description + ", " : "";
                hint("CNN4005", before.Place, $"the batch normalization behind it cancels the bias of this '{before.Operator}'; write '{before.Operator}({start}bias: false)'");
            }

            var layer = norm;
            for (var i = 0; i < FarthestDropout; i++)
            {
                if (layers.Maker(layer.Inputs[0]) is not { Operator: not "batchnorm", Inputs.Length: 1 } previous)
                {
                    break;
                }

                layer = previous;
                if (layer.Operator == "dropout")
                {
                    hint("CNN4006", layer.Place, "dropout in front of batch normalization changes the variance in training but not in use; put it behind the last normalization");
                    break;
                }
            }
        }
    }
}
