// The learning rate over time, as a factor on the optimizer's own rate.
namespace ModelCompiler.Runtime;

/// <summary>A factor for each step of a training run.</summary>
/// <param name="factor">From (step, total steps), step counting from 0.</param>
public sealed class Schedule(Func<long, long, double> factor)
{
    public static Schedule Constant { get; } = new((_, _) => 1);

    /// <summary>Multiplies by <paramref name="factor"/> every <paramref name="every"/> steps (torch's StepLR).</summary>
    public static Schedule Steps(long every, double factor)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(every);
        return new Schedule((step, _) => Math.Pow(factor, step / every));
    }

    /// <summary>Half a cosine from 1 down to <paramref name="final"/> (Loshchilov and Hutter 2017; torch's CosineAnnealingLR).</summary>
    public static Schedule Cosine(double final = 0) => new((step, total) => Anneal(1, final, (double)step / Math.Max(total, 1)));

    /// <summary>Up from <paramref name="start"/> to 1 over the part <paramref name="rise"/> of all steps, then down to
    /// <paramref name="final"/>, both by half a cosine (Smith and Topin 2018; torch's OneCycleLR with its defaults, the
    /// optimizer's rate being the maximum).</summary>
    public static Schedule OneCycle(double rise = 0.3, double start = 1 / 25.0, double final = 1 / 250_000.0)
    {
        if (rise is not (> 0 and < 1))
        {
            throw new ArgumentOutOfRangeException(nameof(rise), rise, "the rising part lies between 0 and 1.");
        }

        return new Schedule((step, total) =>
        {
            var top = Math.Max((rise * total) - 1, 0);
            return step <= top
                ? Anneal(start, 1, top == 0 ? 1 : step / top)
                : Anneal(1, final, Math.Min((step - top) / Math.Max(total - 1 - top, 1), 1));
        });
    }

    /// <summary>This schedule, times a factor that grows from 1 / <paramref name="steps"/> to 1 over the first
    /// <paramref name="steps"/> steps (Goyal et al. 2017).</summary>
    public Schedule WithWarmUp(long steps)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(steps);
        return new Schedule((step, total) => factor(step, total) * (step < steps ? (step + 1.0) / steps : 1));
    }

    /// <param name="step">0 … <paramref name="totalSteps"/> - 1.</param>
    public double Factor(long step, long totalSteps) => factor(step, totalSteps);

    private static double Anneal(double from, double to, double part) => to + ((from - to) * (1 + Math.Cos(Math.PI * part)) / 2);
}
