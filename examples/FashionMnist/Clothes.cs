// Where the pictures are, and which classes get mixed up.
using ModelCompiler.Runtime;

namespace FashionMnist;

internal static class Clothes
{
    /// <summary>A pixel of 0 after normalisation: what surrounds every picture.</summary>
    public const float Black = -Mean / Deviation;

    // Of all training pixels, scaled to 0 … 1.
    private const float Mean = 0.2860f;
    private const float Deviation = 0.3530f;

    /// <summary>Where Debian's package dataset-fashion-mnist puts the four files.</summary>
    private const string Package = "/usr/share/datasets/fashion-mnist";

    private static readonly string[] Names =
        ["t-shirt", "trousers", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "boot"];

    /// <summary>All pictures where they are installed, else the few that come with this program.</summary>
    public static string DefaultFolder { get; } =
        Directory.Exists(Package) ? Package : Path.Combine(AppContext.BaseDirectory, "fashion-mnist");

    public static (Dataset Train, Dataset Test) Read(string folder)
    {
        Dataset Pictures(string images, string labels) =>
            Dataset.FromIdx(Path.Combine(folder, images), Path.Combine(folder, labels), mean: Mean, deviation: Deviation);

        var train = Pictures("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz");
        if (train.Count < 60_000)
        {
            Console.WriteLine($"""
                Note: these are {train.Count:N0} of the 60,000 training pictures: enough to try, too few for the expected result. For all of
                them 'apt-get install dataset-fashion-mnist', or download the four files that https://github.com/zalandoresearch/fashion-mnist
                names and say --data FOLDER.
                """);
        }

        return (train, Pictures("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"));
    }

    /// <summary>How many of each class are found, and what the others are taken for most often.</summary>
    public static void Print(Evaluation result)
    {
        Console.WriteLine();
        for (var truth = 0; truth < Names.Length; truth++)
        {
            var wrong = Enumerable.Range(0, Names.Length).Where(said => said != truth).MaxBy(said => result.Confusion[truth, said]);
            Console.WriteLine(FormattableString.Invariant(
                $"{Names[truth],9}: {100 * result.Confusion.Recall(truth),6:F2} % found, {result.Confusion[truth, wrong],3} times taken for a {Names[wrong]}"));
        }

        Console.WriteLine(FormattableString.Invariant($"test accuracy {100 * result.Accuracy:F2} %, top-2 {100 * result.TopK(2):F2} %"));
    }
}
