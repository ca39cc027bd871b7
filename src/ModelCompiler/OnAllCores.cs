// A build waits for the compiler, and most of what it does is independent: the plans of inference and training, the names and the
// code of kernels, the two files. All of these are pure functions, so the result is the same on any number of cores.
using System.Runtime.ExceptionServices;

namespace ModelCompiler;

internal static class OnAllCores
{
    /// <summary>The results of two functions that run at once. Throws what one of them throws.</summary>
    public static (TFirst First, TSecond Second) Both<TFirst, TSecond>(Func<TFirst> first, Func<TSecond> second)
    {
        var (a, b) = (default(TFirst)!, default(TSecond)!);
        Unwrapped(() => Parallel.Invoke(() => a = first(), () => b = second()));
        return (a, b);
    }

    /// <summary>The results for all items, in their order. Throws what the function throws, for one of the items.</summary>
    public static TResult[] Select<T, TResult>(IReadOnlyList<T> items, Func<T, TResult> function)
    {
        var results = new TResult[items.Count];
        Unwrapped(() => Parallel.For(0, items.Count, i => results[i] = function(items[i])));
        return results;
    }

    private static void Unwrapped(Action work)
    {
        try
        {
            work();
        }
        catch (AggregateException failure)
        {
            ExceptionDispatchInfo.Capture(failure.InnerExceptions[0]).Throw();
        }
    }
}
