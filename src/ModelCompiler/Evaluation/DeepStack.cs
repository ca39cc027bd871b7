// Evaluation recurses along the network, and the budget allows thousands of levels; the threads of compilers and test
// runners may have small stacks. So it runs on a thread whose stack holds the whole budget.
using System.Runtime.ExceptionServices;

namespace ModelCompiler.Evaluation;

internal static class DeepStack
{
    /// <summary>About 6 KiB for each level of <see cref="Budget.MaximumDepth"/>. Reserved, not used.</summary>
    private const int Bytes = 64 << 20;

    public static T Run<T>(Func<T> work)
    {
        T result = default!;
        ExceptionDispatchInfo? failure = null;
        var thread = new Thread(
            () =>
            {
                try
                {
                    result = work();
                }
                catch (Exception exception)
                {
                    failure = ExceptionDispatchInfo.Capture(exception);
                }
            },
            Bytes);
        thread.Start();
        thread.Join();
        failure?.Throw();
        return result;
    }
}
