// Training as it happens: a live line in a terminal, a line for each epoch in a file.
using System.Globalization;
using ModelCompiler.Runtime;
using Spectre.Console;

namespace Examples;

internal abstract class Display : IDisposable
{
    private readonly Func<Evaluation, string> result;

    private Display(Func<Evaluation, string> result) => this.result = result;

    /// <param name="result">What to say of an evaluation: <c>98.20 % of the test digits right</c>.</param>
    public static Display Start(Func<Evaluation, string> result) => Console.IsOutputRedirected ? new PlainDisplay(result) : new LiveDisplay(result);

    public abstract void Step(TrainingProgress progress);

    public abstract void Epoch(EpochResult result);

    public abstract void Dispose();

    private string Line(EpochResult epoch) => string.Create(
        CultureInfo.InvariantCulture, $"epoch {epoch.Epoch}: loss {epoch.Loss:F4}, {result(epoch.Test!)}, {epoch.Duration.TotalSeconds:F1} s");

    private sealed class PlainDisplay(Func<Evaluation, string> result) : Display(result)
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

        public LiveDisplay(Func<Evaluation, string> result)
            : base(result)
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
