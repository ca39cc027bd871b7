// A generator that throws takes all its output with it and tells the user nothing of use. Every step runs
// behind this barrier, which turns an exception into a value; only cancellation passes.
namespace ModelCompiler.Generators;

internal static class FaultBarrier
{
    public static T Run<T>(Func<T> step, Func<Exception, T> onFault)
    {
        try
        {
            return step();
        }
        catch (Exception fault) when (fault is not OperationCanceledException)
        {
            return onFault(fault);
        }
    }
}
