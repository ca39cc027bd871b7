// Asking for memory before it is needed. Kernels that compute little go through their operands as fast as memory gives them; what processors
// fetch ahead by themselves ends with the page and leaves out what is written.
using ModelCompiler.Emission;

namespace ModelCompiler.Kernels;

internal static class Streaming
{
    /// <summary>In floats, 4 KiB. Half and twice as much serve as well.</summary>
    private const int Ahead = 1024;

    /// <summary>What asks for the lines that are reached a little later, to stand behind a statement: empty, or with a space before it.</summary>
    /// <param name="addresses">Of what is read and written now. What lies ahead may be beyond the operand: asking never fails.</param>
    public static string Ask(Isa isa, IEnumerable<string> addresses) =>
        isa == Isa.Vector128 ? "" : string.Concat(addresses.Select(address => $" Sse.Prefetch0({address} + {Literals.Int(Ahead)});"));
}
