// "Did you mean …?": the nearest known word by edit distance, if it is near enough to be a slip of the keyboard.
namespace ModelCompiler.Evaluation;

internal static class Suggestions
{
    /// <summary><c>; did you mean 'maxpool'?</c>, or nothing.</summary>
    public static string DidYouMean(string word, IEnumerable<string> known) =>
        Nearest(word, known) is { } nearest ? $"; did you mean '{nearest}'?" : "";

    /// <summary>Words of other libraries for what the language calls otherwise.</summary>
    private static readonly Dictionary<string, string> Elsewhere = new(StringComparer.OrdinalIgnoreCase)
    {
        ["conv1d"] = "conv",
        ["conv2d"] = "conv",
        ["conv3d"] = "conv",
        ["convolution"] = "conv",
        ["convtranspose2d"] = "upconv",
        ["deconv"] = "upconv",
        ["linear"] = "dense",
        ["fc"] = "dense",
        ["fully_connected"] = "dense",
        ["maxpool2d"] = "maxpool",
        ["maxpooling2d"] = "maxpool",
        ["avgpool2d"] = "avgpool",
        ["averagepooling2d"] = "avgpool",
        ["adaptiveavgpool2d"] = "global_avgpool",
        ["globalaveragepooling2d"] = "global_avgpool",
        ["batchnorm1d"] = "batchnorm",
        ["batchnorm2d"] = "batchnorm",
        ["batchnormalization"] = "batchnorm",
        ["bn"] = "batchnorm",
        ["cat"] = "concat",
        ["concatenate"] = "concat",
        ["crossentropyloss"] = "cross_entropy",
        ["mseloss"] = "mse",
        ["swish"] = "silu",
        ["padding"] = "pad",
        ["kernel_size"] = "kernel",
        ["pool_size"] = "kernel",
        ["out_channels"] = "channels",
        ["filters"] = "channels",
        ["out_features"] = "features",
        ["units"] = "features",
        ["strides"] = "stride",
        ["dilation_rate"] = "dilation",
        ["use_bias"] = "bias",
        ["p"] = "rate",
        ["dim"] = "axis",
        ["axes"] = "axis",
        ["input"] = "logits",
        ["y_pred"] = "logits",
        ["target"] = "label",
        ["y_true"] = "label",
        ["num_heads"] = "heads",
        ["num_groups"] = "groups",
        ["epsilon"] = "eps",
        ["negative_slope"] = "slope",
        ["scale_factor"] = "factor",
        ["ceil_mode"] = "ceil",
        ["count_include_pad"] = "count_padding",
        ["output_padding"] = "output_pad",
        ["padding_mode"] = "pad_mode",
        ["depth_multiplier"] = "multiplier",
        ["kernel_initializer"] = "init",
        ["weight_init"] = "init",
        ["bias_initializer"] = "bias_init",
        ["bilinear"] = "linear",
        ["trilinear"] = "linear",
        ["bicubic"] = "cubic",
        ["zero"] = "zeros",
        ["he"] = "kaiming",
        ["he_normal"] = "kaiming",
        ["he_uniform"] = "kaiming_uniform",
        ["glorot"] = "xavier",
        ["glorot_uniform"] = "xavier",
        ["glorot_normal"] = "xavier_normal",
        ["gauss"] = "normal",
        ["gaussian"] = "normal",
        ["symmetric"] = "reflect",
        ["edge"] = "replicate",
        ["mse_loss"] = "mse",
        ["l1_loss"] = "l1",
        ["view"] = "reshape",
        ["interpolate"] = "upsample",
        ["upsampling2d"] = "upsample",
        ["conv_transpose"] = "upconv",
        ["conv2dtranspose"] = "upconv",
        ["depthwiseconv2d"] = "depthwise",
        ["zeropadding2d"] = "pad",
        ["reducemean"] = "mean",
        ["size"] = "shape",
        ["ndim"] = "rank",
        ["h"] = "height",
        ["w"] = "width",
        ["c"] = "channels",
        ["len"] = "count",
    };

    public static string? Nearest(string word, IEnumerable<string> known)
    {
        known = known.ToList();
        if (Elsewhere.TryGetValue(word, out var same) && known.Contains(same))
        {
            return same;
        }

        string? best = null;
        var bestDistance = Math.Max(1, Math.Min(3, word.Length / 3)) + 1;
        foreach (var candidate in known.OrderBy(name => name, StringComparer.Ordinal))
        {
            if (Math.Abs(candidate.Length - word.Length) >= bestDistance)
            {
                continue;
            }

            var distance = string.Equals(candidate, word, StringComparison.OrdinalIgnoreCase) ? 0 : Distance(word, candidate);
            if (distance < bestDistance)
            {
                best = candidate;
                bestDistance = distance;
            }
        }

        return best;
    }

    /// <summary>Insertions, deletions, replacements and swaps of neighbours (Damerau 1964).</summary>
    public static int Distance(string a, string b)
    {
        var rows = new int[a.Length + 1, b.Length + 1];
        for (var i = 0; i <= a.Length; i++)
        {
            rows[i, 0] = i;
        }

        for (var j = 0; j <= b.Length; j++)
        {
            rows[0, j] = j;
        }

        for (var i = 1; i <= a.Length; i++)
        {
            for (var j = 1; j <= b.Length; j++)
            {
                var change = a[i - 1] == b[j - 1] ? 0 : 1;
                rows[i, j] = Math.Min(Math.Min(rows[i - 1, j] + 1, rows[i, j - 1] + 1), rows[i - 1, j - 1] + change);
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                {
                    rows[i, j] = Math.Min(rows[i, j], rows[i - 2, j - 2] + 1);
                }
            }
        }

        return rows[a.Length, b.Length];
    }
}
