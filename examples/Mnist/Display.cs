// Training as it happens: a live line in a terminal, a line for each epoch in a file.
using System.Globalization;
using ModelCompiler.Runtime;
using Spectre.Console;

namespace Mnist;

internal abstract class Display : IDisposable
{
    public static Display Start() => Console.IsOutputRedirected ? new PlainDisplay() : new LiveDisplay();

    public abstract void Step(TrainingProgress progress);

    public abstract void Epoch(EpochResult result);

    public abstract void Dispose();

    protected static string Line(EpochResult result) => string.Create(
        CultureInfo.InvariantCulture,
        $"epoch {result.Epoch}: loss {result.Loss:F4}, {100 * result.Test!.Accuracy:F2} % of the test digits right, {result.Duration.TotalSeconds:F1} s");

    private sealed class PlainDisplay : Display
    {
        public override void Step(TrainingProgress progress)
        {
        }

        public override void Epoch(EpochResult result) => Console.WriteLine(Line(result));

        public override void Dispose()
        {
        }
    }

    /// <summary>Spectre draws from a thread of its own, as long as the task below runs.</summary>
    private sealed class LiveDisplay : Display
    {
        private readonly TaskCompletionSource finished = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource<ProgressTask> started = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly Task drawing;
        private readonly ProgressTask bar;
        private long nextDraw;

        public LiveDisplay()
        {
            drawing = AnsiConsole.Progress()
                .AutoClear(true)
                .Columns(new ProgressBarColumn(), new PercentageColumn(), new TaskDescriptionColumn { Alignment = Justify.Left })
                .StartAsync(async context =>
                {
                    started.SetResult(context.AddTask("starts"));
                    await finished.Task;
                });
            bar = started.Task.Result;
        }

        public override void Step(TrainingProgress progress)
        {
            // Ten times a second is enough for eyes, and costs training nothing.
            var now = Environment.TickCount64;
            if (now < nextDraw)
            {
                return;
            }

            nextDraw = now + 100;
            bar.MaxValue = (double)progress.Epochs * progress.Steps;
            bar.Value = ((progress.Epoch - 1.0) * progress.Steps) + progress.Step;
            bar.Description = $"epoch {progress.Epoch}/{progress.Epochs}  loss {progress.Loss:F4}  {progress.SamplesPerSecond:N0} samples/s  {progress.Remaining.TotalSeconds:F0} s left";
        }

        public override void Epoch(EpochResult result) => AnsiConsole.WriteLine(Line(result));

        public override void Dispose()
        {
            finished.SetResult();
            drawing.Wait();
        }
    }
}
