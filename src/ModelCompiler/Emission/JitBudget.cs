// RyuJIT silently gives up optimising a method that is too large (above 60,000 bytes of IL, 2,000 locals, 2,000 basic
// blocks or 8,000 references to locals), and such a kernel runs ten times slower. Emitters stay far below.
namespace ModelCompiler.Emission;

/// <summary>Limits for every emitted method; tests count them on the compiled IL.</summary>
public static class JitBudget
{
    public const int MaxIlBytes = 15_000;

    public const int MaxLocals = 500;

    /// <summary>Multiply-adds in one method: about seven microseconds of compilation each.</summary>
    public const int MaxMultiplyAdds = 500;
}
