// Before a measurement: the runtime compiles the methods of this program, the C# compiler's above all, a second time behind its back. That takes
// a core for seconds, of which the network would want one.
using System.Diagnostics;
using System.Runtime;

namespace ModelCompiler.Tool;

internal static class WarmUp
{
    /// <summary>The runtime starts on a method 100 ms after it was called often enough, and pauses no longer between two.</summary>
    private static readonly TimeSpan Quiet = TimeSpan.FromMilliseconds(300);
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(20);

    /// <summary>Calls until nothing has been compiled for a while, and so often at least that the second call has been seen.</summary>
    public static void Run(Action call)
    {
        var (total, since) = (Stopwatch.StartNew(), Stopwatch.StartNew());
        var compiled = -1L;
        for (var calls = 0; calls < 2 || (since.Elapsed < Quiet && total.Elapsed < Longest); calls++)
        {
            call();
            if (JitInfo.GetCompiledMethodCount() is var now && now != compiled)
            {
                compiled = now;
                since.Restart();
            }
        }
    }
}
