// What runs before a measurement: it goes on while the runtime still compiles, and ends.
using System.Reflection.Emit;

namespace ModelCompiler.Tool.Tests;

public class WarmUpTests
{
    [Fact]
    public void GoesOnWhileMethodsAreCompiled()
    {
        const int compiling = 20;
        var calls = 0;
        WarmUp.Run(() =>
        {
            if (calls++ < compiling)
            {
                Assert.Equal(calls, Constant(calls)());
            }
        });
        Assert.True(calls > compiling, $"Ended after {calls} calls, while methods were compiled.");
    }

    [Fact]
    public void CallsTwiceAtLeast()
    {
        var calls = 0;
        WarmUp.Run(() => calls++);
        Assert.True(calls >= 2, $"{calls} calls");
    }

    /// <summary>A method that is new to the runtime.</summary>
    private static Func<int> Constant(int value)
    {
        var method = new DynamicMethod($"Constant{value}", typeof(int), []);
        var code = method.GetILGenerator();
        code.Emit(OpCodes.Ldc_I4, value);
        code.Emit(OpCodes.Ret);
        return method.CreateDelegate<Func<int>>();
    }
}
