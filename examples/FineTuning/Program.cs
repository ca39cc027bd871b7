// Fine-tuning: a network that knows the digits 0 to 5 learns 6 to 9 from a hundred examples. Its saved features are loaded into
// a network with another head; the head learns while the features are frozen, then everything does, the convolutions slowly.
// Expected: 90 to 91 % of the test digits 6 to 9 right, about two points more than a new network learns from the same hundred; 7 s.
using Examples;
using FineTuning;
using ModelCompiler.Runtime;

const string Saved = "FirstDigits.safetensors";
var defaults = new Options(Epochs: 3, Batch: 20, Out: "LastDigits.safetensors", Data: Path.Combine(AppContext.BaseDirectory, "mnist"));
return Options.Run(args, "Fine-tunes a digit reader for digits that it has never seen.", "digits", defaults, Run, checkpoints: false);

static void Run(Options options)
{
    Dataset Digits(string images, string labels) =>
        Dataset.FromIdx(Path.Combine(options.Data!, images), Path.Combine(options.Data!, labels), mean: 0.1307f, deviation: 0.3081f);

    var train = Digits("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz");
    var test = Digits("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz");
    var weights = options.Load ?? LearnFirstDigits(options, train.OfClasses(0, 1, 2, 3, 4, 5), test.OfClasses(0, 1, 2, 3, 4, 5));

    var (few, unseen) = (train.OfClasses(6, 7, 8, 9).Take(options.Limit ?? 100), test.OfClasses(6, 7, 8, 9));
    Console.WriteLine($"{few.Count} digits 6 to 9 to learn from, {unseen.Count:N0} to test with");
    var tuned = FineTune(options, weights, few, unseen);
    var scratch = FromScratch(options, few, unseen);
    Console.WriteLine(FormattableString.Invariant($"test accuracy {100 * tuned:F2} % with the saved features, {100 * scratch:F2} % without"));
    Console.WriteLine($"saved {options.Out} and {Path.ChangeExtension(options.Out, ".svg")}");
}

static string LearnFirstDigits(Options options, Dataset train, Dataset test)
{
    Console.WriteLine($"{train.Count:N0} digits 0 to 5 to learn features from");
    using var training = new FirstDigits.Training(batch: 64, threads: options.Threads, optimizer: new AdamW(3e-3f), seed: options.Seed);
    using var network = new FirstDigits(batch: 100, threads: options.Threads, parameters: training.Parameters);
    using (var display = Display.Start(Right))
    {
        new Trainer(training) { Schedule = Schedule.OneCycle(), Evaluator = network, OnStep = display.Step, OnEpoch = display.Epoch }
            .Fit(train, options.Epochs, test);
    }

    training.Parameters.Save(Saved);
    return Saved;
}

static double FineTune(Options options, string weights, Dataset few, Dataset test)
{
    // Two trainings, one set of weights: first the new head alone, then all layers, the convolutions slowest.
    Optimizer headOnly = new AdamW(1e-2f) { Rules = [new("features.*", Frozen: true)] };
    Optimizer layerwise = new AdamW(3e-3f)
    {
        Rules = [new("features.conv*", LearningRate: 0.3f), ParameterRule.NoDecayForVectors],
    };
    using var head = new LastDigits.Training(batch: options.Batch, threads: options.Threads, optimizer: headOnly, seed: options.Seed);
    using var all = new LastDigits.Training(head.Batch, head.Threads, head.Parameters, layerwise, options.Seed);
    using var network = new LastDigits(batch: 100, threads: options.Threads, parameters: head.Parameters);
    head.Parameters.LoadMatching(weights, "features.*");

    Console.WriteLine("the head learns");
    var results = Learn(head, network, few, 5, Schedule.Constant, test);
    Console.WriteLine("everything learns");
    var more = Learn(all, network, few, 15, Schedule.Cosine(), test);
    LearningCurve.Write(
        Path.ChangeExtension(options.Out, ".svg"), "Five epochs for the head, fifteen for all layers",
        [.. results, .. more.Select(result => result with { Epoch = results.Count + result.Epoch })]);
    head.Parameters.Save(options.Out);
    return more[^1].Test!.Accuracy;
}

static double FromScratch(Options options, Dataset few, Dataset test)
{
    Console.WriteLine("a new network learns");
    using var training = new LastDigits.Training(batch: options.Batch, threads: options.Threads, optimizer: new AdamW(3e-3f), seed: options.Seed);
    using var network = new LastDigits(batch: 100, threads: options.Threads, parameters: training.Parameters);
    return Learn(training, network, few, 20, Schedule.OneCycle(), test)[^1].Test!.Accuracy;
}

static IReadOnlyList<EpochResult> Learn(TrainingNetwork training, InferenceNetwork network, Dataset data, int epochs, Schedule schedule, Dataset test)
{
    using var display = Display.Start(Right);
    return new Trainer(training) { Schedule = schedule, Evaluator = network, OnStep = display.Step, OnEpoch = display.Epoch }.Fit(data, epochs, test);
}

static string Right(Evaluation result) => FormattableString.Invariant($"{100 * result.Accuracy:F2} % of the test digits right");
