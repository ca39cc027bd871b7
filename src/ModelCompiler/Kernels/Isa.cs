// One kernel, three instruction sets. The layout is the same on all of them (blocks of 16 floats); what changes
// is how many vectors a block takes and how many registers there are.
namespace ModelCompiler.Kernels;

/// <param name="Suffix">Of the class that holds the kernels: <c>512</c>.</param>
/// <param name="Width">Floats in a vector.</param>
/// <param name="Registers">Vector registers the JIT can use.</param>
public sealed record Isa(string Suffix, int Width, int Registers)
{
    public static readonly Isa Avx512 = new("512", 16, 32);
    public static readonly Isa Avx2 = new("256", 8, 16);

    /// <summary>SSE and ARM NEON. Without fused multiply-add in hardware the estimate is a product and a sum.</summary>
    public static readonly Isa Vector128 = new("128", 4, 16);

    public static readonly IReadOnlyList<Isa> All = [Avx512, Avx2, Vector128];

    /// <summary>Vectors in a block of 16 floats.</summary>
    public int Parts => 16 / Width;

    /// <summary><c>Vector512&lt;float&gt;</c>.</summary>
    public string Type => $"Vector{Suffix}<float>";

    public string IntegerType => $"Vector{Suffix}<int>";

    /// <summary>The static class of operations: <c>Vector512</c>.</summary>
    public string Static => $"Vector{Suffix}";

    /// <summary>a * b + c. Pointer dereferences and this call are the only forms used in hot loops: helper methods
    /// are inlinees, and the inliner's budget runs out in large methods.</summary>
    public string Fma(string a, string b, string c) =>
        this == Vector128 ? $"Vector128.MultiplyAddEstimate({a}, {b}, {c})" : $"{Static}.FusedMultiplyAdd({a}, {b}, {c})";

    public string Load(string address) => $"*({Type}*)({address})";

    public string Store(string address, string value) => $"*({Type}*)({address}) = {value};";

    /// <summary>Behind the address of a block: where one of its vectors begins.</summary>
    internal string Part(int number) => number == 0 ? "" : FormattableString.Invariant($" + {number * Width}");

    public string Broadcast(string scalar) => $"{Static}.Create({scalar})";
}
