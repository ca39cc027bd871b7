// Networks learn faster from values around 0; files hold bytes.
namespace ModelCompiler.Runtime;

/// <summary>Turns a byte of channel c into (value / 255 - Mean[c]) / Deviation[c]. One entry serves all channels.</summary>
public sealed record Normalization(float[] Mean, float[] Deviation)
{
    /// <summary>Bytes become 0 … 1.</summary>
    public static Normalization None { get; } = new([0], [1]);

    /// <summary>The usual numbers for networks trained on ImageNet, red first.</summary>
    public static Normalization ImageNet { get; } = new([0.485f, 0.456f, 0.406f], [0.229f, 0.224f, 0.225f]);

    /// <summary>Images one after the other, each channels first, from bytes.</summary>
    /// <param name="channelsLast">The bytes hold the channels of a pixel together (most image files) instead of planes.</param>
    /// <exception cref="DatasetException">There are fewer entries than channels.</exception>
    internal float[] Apply(ReadOnlySpan<byte> bytes, int channels, int plane, bool channelsLast)
    {
        var table = Table(channels);
        var result = GC.AllocateUninitializedArray<float>(bytes.Length);
        var sample = channels * plane;
        for (var start = 0; start < bytes.Length; start += sample)
        {
            for (var c = 0; c < channels; c++)
            {
                var values = table.AsSpan(c * 256, 256);
                var target = result.AsSpan(start + (c * plane), plane);
                var (from, step) = channelsLast ? (start + c, channels) : (start + (c * plane), 1);
                for (var i = 0; i < plane; i++)
                {
                    target[i] = values[bytes[from + (i * step)]];
                }
            }
        }

        return result;
    }

    /// <summary>The value of each of 256 bytes, for each channel.</summary>
    private float[] Table(int channels)
    {
        if (Mean.Length != Deviation.Length || (Mean.Length != 1 && Mean.Length != channels))
        {
            throw new DatasetException($"normalisation has {Mean.Length} means and {Deviation.Length} deviations for {channels} channels.");
        }

        var table = new float[channels * 256];
        for (var i = 0; i < table.Length; i++)
        {
            var entry = Mean.Length == 1 ? 0 : i / 256;
            table[i] = ((i % 256 / 255f) - Mean[entry]) / Deviation[entry];
        }

        return table;
    }
}
