// Places in a network's memory as constants, so that the operands of a generated step are a table of numbers in the assembly
// and no code that has to be compiled for every step.
namespace ModelCompiler.Runtime;

/// <summary>Regions of memory: <c>Place.Samples + 64</c> is float 64 of a sample's activations, <c>Place.Input + Place.Next</c> the second input.</summary>
public static class Place
{
    /// <summary>The sample's activations and their gradients.</summary>
    public const long Samples = 1L << RegionShift;

    /// <summary>Packed weights, folded norms, statistics.</summary>
    public const long Common = 2L << RegionShift;

    /// <summary>The parameter set's storage.</summary>
    public const long Parameters = 3L << RegionShift;

    /// <summary>The gradients, laid out as the parameters.</summary>
    public const long Gradients = 4L << RegionShift;

    /// <summary>The thread's own memory. <c>Place.Scratch + 49 * Place.Next</c> begins 49 * 16 floats earlier in every turn of steps that take turns: what
    /// they leave for one another in a turn takes the place of what was there in the one before.</summary>
    public const long Scratch = 5L << RegionShift;

    public const long Loss = 6L << RegionShift;

    public const long Input = 7L << RegionShift;

    /// <summary>Class numbers or real values.</summary>
    public const long Target = 8L << RegionShift;

    public const long Output = 9L << RegionShift;

    public const long InputGradient = 10L << RegionShift;

    /// <summary>What one step of the preparation leaves for another.</summary>
    public const long Preparation = 11L << RegionShift;

    /// <summary>A parameter that a step of the preparation reads: <c>Place.Weight + 3 * Place.Next</c> is that of place 3 in <see cref="NetworkInfo.Parameters"/>.</summary>
    public const long Weight = 12L << RegionShift;

    /// <summary>Values of sixteen samples that lie side by side in vectors.</summary>
    public const long Groups = 13L << RegionShift;

    /// <summary>From one input, target or output to the next.</summary>
    public const long Next = 1L << IndexShift;

    internal const int TurnUnit = 16;

    private const int IndexShift = 40;
    private const int RegionShift = 56;

    // Offsets may be negative: padding lies before a value.
    internal static long OffsetOf(long place) => place << (64 - IndexShift) >> (64 - IndexShift);

    internal static long RegionOf(long place) => (place - OffsetOf(place)) >> RegionShift << RegionShift;

    internal static int IndexOf(long place) => (int)((place - OffsetOf(place)) >> IndexShift) & ((1 << (RegionShift - IndexShift)) - 1);
}
