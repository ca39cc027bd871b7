// Runs one kernel on every instruction set and compares with plain loops in double precision; on the way it checks
// what every kernel promises: nothing outside the elements is written, and any split into units gives the same bits.
using ModelCompiler.Kernels;

namespace ModelCompiler.Tests.Kernels;

/// <summary>An output and what its elements should be.</summary>
/// <param name="Tolerance">Of |difference| / (1 + |expected|), or of |difference| alone where <paramref name="Absolute"/>: for errors that depend on the largest value.</param>
/// <param name="Applies">Elements that hold a result; null for all. The rest are lanes a packed operand has room for.</param>
public sealed record Expectation(int Operand, Func<int, int[], double> Value, double Tolerance = 2e-6, Func<int[], bool>? Applies = null, bool Absolute = false);

/// <param name="Operands">Makes the operands, inputs and outputs in the kernel's order; class numbers go to <paramref name="Classes"/>.</param>
/// <param name="Expect">Given the operands as they were before the call.</param>
public sealed record KernelCase(
    Kernel Kernel, int Batch, Func<TestOperand[]> Operands, Func<TestOperand[], Expectation[]> Expect, int[][]? Classes = null);

public static unsafe class KernelHarness
{
    /// <summary>The key a sample's random stream gets.</summary>
    public static uint Key(int index, int sample) => (uint)(12345 + (index * 1000) + (sample * 77));

    public static void Check(params IReadOnlyList<KernelCase> cases)
    {
        var compiled = new CompiledKernels(cases.Select(c => c.Kernel));
        foreach (var test in cases)
        {
            var operands = test.Operands();
            try
            {
                Check(test, compiled, operands);
            }
            finally
            {
                Array.ForEach(operands, o => o.Dispose());
            }
        }
    }

    private static void Check(KernelCase test, CompiledKernels compiled, TestOperand[] operands)
    {
        var units = test.Kernel.Units;
        var before = operands.Select(o => o.Bits()).ToArray();
        var expectations = test.Expect(operands);
        var expected = expectations.Select(e => Values(operands[e.Operand], e)).ToArray();
        foreach (var isa in Isa.All)
        {
            var what = $"{test.Kernel.Name} ({test.Kernel.Comment}) on {isa.Suffix} bits";
            Restore();
            Call(test, compiled, isa, operands, [(0, units)]);
            for (var i = 0; i < operands.Length; i++)
            {
                operands[i].AssertUntouched(before[i], what);
            }

            foreach (var (expectation, values) in expectations.Zip(expected))
            {
                Compare(operands[expectation.Operand], values, expectation, what);
            }

            // Backwards, one unit at a time.
            var whole = expectations.Select(e => operands[e.Operand].ElementBits()).ToArray();
            Restore();
            Call(test, compiled, isa, operands, [.. Enumerable.Range(0, units).Select(u => (u, u + 1)).Reverse()]);
            foreach (var (expectation, bits) in expectations.Zip(whole))
            {
                Assert.True(bits.SequenceEqual(operands[expectation.Operand].ElementBits()), $"{what}: units change the result.");
            }

            if (test.Kernel.Turns > 1 && units % test.Kernel.Turns == 0)
            {
                Restore();
                TakeTurns(test, compiled, isa, operands, what);
                foreach (var (expectation, bits) in expectations.Zip(whole))
                {
                    Assert.True(bits.SequenceEqual(operands[expectation.Operand].ElementBits()), $"{what}: turns change the result.");
                }
            }
        }

        void Restore()
        {
            for (var i = 0; i < operands.Length; i++)
            {
                operands[i].Restore(before[i]);
            }
        }
    }

    /// <summary>Runs the kernel turn by turn, the last one first. Of operands that turns have parts of, each sees its own part only: all else is NaN.</summary>
    private static void TakeTurns(KernelCase test, CompiledKernels compiled, Isa isa, TestOperand[] operands, string what)
    {
        var units = test.Kernel.Units / test.Kernel.Turns;
        var results = operands.Select(o => o.Bits()).ToArray();
        for (var turn = test.Kernel.Turns - 1; turn >= 0; turn--)
        {
            var owns = operands.Select((o, k) => test.Kernel.TurnStride(k) is > 0 and var stride ? o.Part(stride, turn) : null).ToArray();
            for (var k = 0; k < operands.Length; k++)
            {
                operands[k].Restore(owns[k] is { } own ? [.. results[k].Select((bits, i) => own[i] ? bits : BitConverter.SingleToInt32Bits(float.NaN))] : results[k]);
            }

            var hidden = operands.Select(o => o.Bits()).ToArray();
            Call(test, compiled, isa, operands, [(turn * units, (turn + 1) * units)]);
            for (var k = 0; k < operands.Length; k++)
            {
                var after = operands[k].Bits();
                for (var i = 0; i < after.Length; i++)
                {
                    if (owns[k] is not { } own || own[i])
                    {
                        results[k][i] = after[i];
                    }
                    else
                    {
                        Assert.True(after[i] == hidden[k][i], $"{what}: turn {turn} wrote to a part of operand {k} that is another's.");
                    }
                }
            }
        }

        for (var k = 0; k < operands.Length; k++)
        {
            operands[k].Restore(results[k]);
        }
    }

    private static List<(int Sample, int[] Index, double Value)> Values(TestOperand operand, Expectation expectation) =>
        [.. Enumerable.Range(0, Math.Max(1, operand.Samples)).SelectMany(
            s => TestOperand.Indices(operand.Layout.Shape).Where(i => expectation.Applies?.Invoke(i) ?? true).Select(i => (s, i, expectation.Value(s, i))))];

    private static void Compare(TestOperand operand, List<(int Sample, int[] Index, double Value)> expected, Expectation expectation, string what)
    {
        foreach (var (sample, index, value) in expected)
        {
            var actual = operand[sample, index];
            var close = double.IsNaN(value) ? double.IsNaN(actual)
                : double.IsInfinity(value) ? actual == value
                : Math.Abs(actual - value) <= expectation.Tolerance * (expectation.Absolute ? 1 : 1 + Math.Abs(value));
            Assert.True(close, $"{what}: sample {sample}, element ({string.Join(", ", index)}) of {operand.Layout.Tag} is {actual:g9}, not {value:g9}.");
        }
    }

    private static void Call(KernelCase test, CompiledKernels compiled, Isa isa, TestOperand[] operands, (int Begin, int End)[] ranges)
    {
        var calls = test.Kernel.Scope == KernelScope.Sample ? test.Batch : 1;
        foreach (var (begin, end) in ranges)
        {
            for (var sample = 0; sample < calls; sample++)
            {
                fixed (int* classes = test.Classes?[sample])
                {
                    compiled.Call(test.Kernel, isa, Arguments(test, compiled, operands, sample, (nint)classes, begin, end));
                }
            }
        }
    }

    private static List<object> Arguments(KernelCase test, CompiledKernels compiled, TestOperand[] operands, int sample, nint classes, int begin, int end)
    {
        var arguments = new List<object>();
        var floats = new Queue<TestOperand>(operands);
        foreach (var operand in test.Kernel.Operands)
        {
            var memory = operand.Type == "int*" ? null : floats.Dequeue();
            arguments.Add(memory?.Pointer(operand, sample) ?? classes);
            if (test.Kernel.Scope == KernelScope.Batch)
            {
                arguments.Add(memory is { Samples: > 0 } ? memory.Stride : 0L);
            }
        }

        if (test.Kernel.Scope == KernelScope.Batch)
        {
            arguments.Add(test.Batch);
        }

        foreach (var scalar in test.Kernel.Scalars)
        {
            arguments.Add(scalar is RandomKeyArgument random ? Key(random.Index, sample) : (object)(float)test.Batch);
        }

        arguments.AddRange(compiled.Numbers(test.Kernel).Cast<object>());
        arguments.Add(begin);
        arguments.Add(end);
        return arguments;
    }
}
