// Values of a parameter that nobody has asked for yet: they are drawn or read where they are needed, so that inference packs
// weights straight from their file and random numbers that a file replaces are never drawn.
namespace ModelCompiler.Runtime;

/// <summary>Where values come from: a file, or the parameter's initializer.</summary>
internal sealed class PendingValues
{
    private readonly StoredTensor? stored;
    private readonly ulong seed;

    public PendingValues(ulong seed) => this.seed = seed;

    public PendingValues(StoredTensor stored) => this.stored = stored;

    /// <summary>Whether <see cref="Read"/> can take a part; other values come all at once.</summary>
    public bool IsStored => stored is not null;

    public TensorFile? File => stored?.File;

    /// <exception cref="WeightsException">The file was written to in the meantime.</exception>
    public void Fill(ParameterInfo info, Span<float> values)
    {
        if (stored is null)
        {
            Initialization.Fill(values, info, seed);
        }
        else
        {
            Read(0, values);
        }
    }

    /// <summary>Values from number <paramref name="start"/> on.</summary>
    /// <exception cref="WeightsException">The file was written to in the meantime.</exception>
    public void Read(long start, Span<float> values)
    {
        stored!.File?.CheckUnchanged();
        stored.Read(start, values);
    }
}
