// Trains the residual network of SmallResNet.cnn on Fashion-MNIST (Xiao, Rasul and Vollgraf, 2017): pictures of clothes,
// 28x28 grey pixels, ten classes, 60,000 to train on and 10,000 to test with.
// Expected: 93.3 % of the test pictures right after 20 epochs, about 45 s each on one core.
using Examples;
using FashionMnist;
using ModelCompiler.Runtime;

var defaults = new Options(Epochs: 20, Batch: 64, Out: "SmallResNet.safetensors", Data: Clothes.DefaultFolder);
return Options.Run(args, "Learns to tell clothes apart with a small residual network.", "pictures", defaults, Run);

static void Run(Options options)
{
    var (train, test) = Clothes.Read(options.Data!);
    if (options.Limit is { } limit)
    {
        train = train.Take(limit);
    }

    // Biases and norms are not pulled towards 0.
    var optimizer = new AdamW(4e-3f, weightDecay: 0.05f) { Rules = [ParameterRule.NoDecayForVectors] };
    using var training = new SmallResNet.Training(batch: options.Batch, threads: options.Threads, optimizer: optimizer, seed: options.Seed);
    if (options.Load is not null)
    {
        training.Parameters.Load(options.Load);
    }

    // Shares the weights with the network in training.
    using var network = new SmallResNet(batch: 100, threads: options.Threads, parameters: training.Parameters);
    Console.WriteLine($"SmallResNet: {SmallResNet.Info.ParameterCount:N0} parameters; {train.Count:N0} training pictures, {test.Count:N0} test pictures, {training.Threads} threads");

    using (var display = Display.Start(result => FormattableString.Invariant($"{100 * result.Accuracy:F2} % of the test pictures right")))
    {
        var trainer = new Trainer(training)
        {
            Schedule = Schedule.OneCycle(),
            Augmentation = Augmentation.Of(Augmentation.Flip(), Augmentation.Crop(2, fill: Clothes.Black)),
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

        var results = trainer.Fit(train, options.Epochs, test);
        LearningCurve.Write(Path.ChangeExtension(options.Out, ".svg"), "A small residual network on Fashion-MNIST", results);
    }

    Clothes.Print(Evaluation.Of(network, test));
    training.Parameters.Save(options.Out);
    Console.WriteLine($"saved {options.Out} and {Path.ChangeExtension(options.Out, ".svg")}");
}
