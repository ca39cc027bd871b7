// Windows of one, two or three axes as depth, rows and columns, which is how every kernel sees them.
using System.Collections.Immutable;
using ModelCompiler.Graph;
using ModelCompiler.Kernels;

namespace ModelCompiler.Planning;

internal readonly record struct Axis3(int Kernel, int Stride, int PadBegin, int PadEnd, int Dilation)
{
    public static readonly Axis3 None = new(1, 1, 0, 0, 1);

    /// <summary>Depth, rows, columns of a window; missing axes are a kernel of 1.</summary>
    public static (Axis3 Depth, Axis3 Rows, Axis3 Columns) Of(Window w)
    {
        Axis3 At(int fromEnd) => w.Rank >= fromEnd
            ? new Axis3(w.Kernel[w.Rank - fromEnd], w.Stride[w.Rank - fromEnd], w.PadBegin[w.Rank - fromEnd], w.PadEnd[w.Rank - fromEnd], w.Dilation[w.Rank - fromEnd])
            : None;
        return (At(3), At(2), At(1));
    }

    /// <summary>Positions before and after the input that the forward window reads, given the output size.</summary>
    public (int Before, int After) Overhang(int input, int output) =>
        (Math.Max(0, PadBegin), Math.Max(0, ((output - 1) * Stride) - PadBegin + (Dilation * (Kernel - 1)) - (input - 1)));
}

/// <summary>One phase of a strided data gradient along one axis: inputs i = Stride * q + Phase.</summary>
/// <param name="Count">How many such inputs there are.</param>
/// <param name="Taps">Kernel taps that reach them: FirstTap, FirstTap + TapStep, ….</param>
/// <param name="Start">Output position that the first tap of q = 0 meets; may be negative.</param>
/// <param name="Step">Output positions from one tap to the next; zero or negative.</param>
internal readonly record struct GradientPhase(int Phase, int Count, int Taps, int FirstTap, int TapStep, int Start, int Step)
{
    public static ImmutableArray<GradientPhase> Of(Axis3 axis, int inputSize)
    {
        var phases = ImmutableArray.CreateBuilder<GradientPhase>();
        var tapStep = axis.Stride / Rounding.CommonDivisor(axis.Stride, axis.Dilation);
        for (var phase = 0; phase < Math.Min(axis.Stride, inputSize); phase++)
        {
            var first = Enumerable.Range(0, Math.Min(tapStep, axis.Kernel)).Cast<int?>()
                .FirstOrDefault(t => Mod(phase + axis.PadBegin - (t!.Value * axis.Dilation), axis.Stride) == 0);
            var taps = first is null ? 0 : ((axis.Kernel - 1 - first.Value) / tapStep) + 1;
            phases.Add(new GradientPhase(
                phase, (inputSize - phase + axis.Stride - 1) / axis.Stride, taps, first ?? 0, tapStep,
                first is null ? 0 : (phase + axis.PadBegin - (first.Value * axis.Dilation)) / axis.Stride, -(tapStep * axis.Dilation / axis.Stride)));
        }

        return phases.ToImmutable();
    }

    /// <summary>Positions before and after the gradient that this phase reads.</summary>
    public (int Before, int After) Overhang(int outputSize) => Taps == 0
        ? (0, 0)
        : (Math.Max(0, -(Start + (Step * (Taps - 1)))), Math.Max(0, Count - 1 + Start - (outputSize - 1)));

    private static int Mod(int a, int b) => ((a % b) + b) % b;
}
