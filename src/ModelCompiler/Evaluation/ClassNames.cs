// A network becomes a class of the project. A name that C# keeps for itself, or that the generated code means something else
// by, would end in errors in a file that nobody wrote; it is reported where it was chosen.
using System.Collections.Immutable;

namespace ModelCompiler.Evaluation;

internal static class ClassNames
{
    private static readonly ImmutableHashSet<string> Keywords = Words(
        "abstract as base bool break byte case catch char checked class const continue decimal default delegate do double else enum event explicit extern false "
        + "finally fixed float for foreach goto if implicit in int interface internal is lock long namespace new null object operator out override params private "
        + "protected public readonly ref return sbyte sealed short sizeof stackalloc static string struct switch this throw true try typeof uint ulong unchecked "
        + "unsafe ushort using virtual void volatile while dynamic extension field file nint nuint partial record required scoped value var where yield");

    /// <summary>Types that generated code names without their namespace; a test compares them with what is emitted.</summary>
    private static readonly ImmutableHashSet<string> Types = Words(
        "System ModelCompiler Training Math MathF Single Int32 Double Span ReadOnlySpan Array Buffer Unsafe MemoryMarshal MethodImpl MethodImplOptions SkipLocalsInit "
        + "Vector Vector64 Vector128 Vector256 Vector512 Sse Sse2 Sse41 Avx Avx2 Fma Avx512F Avx512BW Avx512DQ Avx512VL AdvSimd "
        + "CompiledNetwork InferenceNetwork TrainingNetwork NetworkInfo TensorInfo TensorKind ParameterInfo LayerInfo InitializerKind Parameter ParameterSet Optimizer Workers "
        + "VectorMath PortableMath RandomBits GradientSet NetworkTensor Transposition StepMemory Steps Place");

    /// <summary>Why a network cannot have the name; null when it can.</summary>
    public static string? Problem(string name) =>
        Keywords.Contains(name) ? $"'{name}' is a word of C#, and the network becomes a class of that name; call it '{Capital(name)}Net'"
        : Types.Contains(name) ? $"the class '{name}' would hide another of that name from the generated code; call the network '{name}Net'"
        : null;

    private static string Capital(string name) => char.ToUpperInvariant(name[0]) + name.Substring(1);

    private static ImmutableHashSet<string> Words(string words) => words.Split(' ').ToImmutableHashSet(StringComparer.Ordinal);
}
