// Trains the network of LeNet5.cnn on the 60,000 training digits of MNIST and tests it on the other 10,000.
// Expected: at least 99.0 % of the test digits right after 5 epochs.
using Examples;
using Mnist;
using ModelCompiler.Runtime;

var defaults = new Options(Epochs: 5, Batch: 64, Out: "LeNet5.safetensors", Data: Path.Combine(AppContext.BaseDirectory, "mnist"));
return Options.Run(args, "Learns to read the handwritten digits of MNIST with LeNet-5.", "digits", defaults, Run);

static void Run(Options options)
{
    Dataset Digits(string images, string labels) => Dataset.FromIdx(
        Path.Combine(options.Data!, images), Path.Combine(options.Data!, labels), mean: Digit.Mean, deviation: Digit.Deviation);

    var train = Digits("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz");
    var test = Digits("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz");
    if (options.Limit is { } limit)
    {
        train = train.Take(limit);
    }

    using var training = new LeNet5.Training(batch: options.Batch, threads: options.Threads, optimizer: new AdamW(3e-3f, weightDecay: 0.1f), seed: options.Seed);
    if (options.Load is not null)
    {
        training.Parameters.Load(options.Load);
    }

    // Shares the weights with the network in training.
    using var network = new LeNet5(batch: 100, threads: options.Threads, parameters: training.Parameters);
    Console.WriteLine($"LeNet-5: {LeNet5.Info.ParameterCount:N0} parameters; {train.Count:N0} training digits, {test.Count:N0} test digits, {training.Threads} threads");

    using (var display = Display.Start(test => FormattableString.Invariant($"{100 * test.Accuracy:F2} % of the test digits right")))
    {
        var trainer = new Trainer(training)
        {
            Schedule = Schedule.OneCycle(),
            Evaluator = network,
            OnStep = display.Step,
            OnEpoch = display.Epoch,
            CheckpointFolder = options.Checkpoints,
            CheckpointEvery = 100,
        };
        if (options.Checkpoints is not null && trainer.Resume())
        {
            Console.WriteLine($"continues after {trainer.CompletedSteps:N0} steps");
        }

        trainer.Fit(train, options.Epochs, test);
    }

    var result = Evaluation.Of(network, test);
    Report.Print(result, test);
    training.Parameters.Save(options.Out);
    Console.WriteLine($"saved {options.Out}");
}
