// Trains the network of LeNet5.cnn on the 60,000 training digits of MNIST and tests it on the other 10,000.
// Expected: at least 99.0 % of the test digits right after 5 epochs.
using Mnist;
using ModelCompiler.Runtime;

return Options.Parse(args, options =>
{
    try
    {
        Run(options);
        return 0;
    }
    catch (Exception exception) when (exception is DatasetException or WeightsException or TrainingException or IOException or UnauthorizedAccessException)
    {
        Console.Error.WriteLine($"error: {exception.Message}");
        return 1;
    }
});

static void Run(Options options)
{
    Dataset Digits(string images, string labels) => Dataset.FromIdx(
        Path.Combine(options.Data, images), Path.Combine(options.Data, labels), mean: Digit.Mean, deviation: Digit.Deviation);

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

    using (var display = Display.Start())
    {
        var trainer = new Trainer(training)
        {
            Schedule = Schedule.OneCycle(),
            Evaluator = network,
            OnStep = display.Step,
            OnEpoch = display.Epoch,
        };
        trainer.Fit(train, options.Epochs, test);
    }

    var result = Evaluation.Of(network, test);
    Report.Print(result, test);
    training.Parameters.Save(options.Out);
    Console.WriteLine($"saved {options.Out}");
}
