// A build waits for the compiler, and most of what it does is independent: the plans of inference and training, the names and the
// code of kernels, the two files. All of these are pure functions, so the result is the same on any number of cores.
using System.Runtime.ExceptionServices;

namespace ModelCompiler;

internal static class OnAllCores
{
    /// <summary>The results of two functions that run at once. Throws what the first throws, else what the second throws.</summary>
    public static (TFirst First, TSecond Second) Both<TFirst, TSecond>(Func<TFirst> first, Func<TSecond> second)
    {
        var other = Task.Run(second);
        try
        {
            return (first(), other.GetAwaiter().GetResult());
        }
        finally
        {
            // Nothing outlives the call, and no exception is left for a finalizer to find.
            ((IAsyncResult)other).AsyncWaitHandle.WaitOne();
            _ = other.Exception;
        }
    }

    /// <summary>The results for all items, in their order. Throws what the function throws, for one of the items.</summary>
    public static TResult[] Select<T, TResult>(IReadOnlyList<T> items, Func<T, TResult> function)
    {
        var results = new TResult[items.Count];
        try
        {
            Parallel.For(0, items.Count, i => results[i] = function(items[i]));
        }
        catch (AggregateException failure)
        {
            ExceptionDispatchInfo.Capture(failure.InnerExceptions[0]).Throw();
        }

        return results;
    }
}
