// What the trained network gets right, and what it does not.
using System.Globalization;
using ModelCompiler.Runtime;

namespace Mnist;

internal static class Report
{
    private const int PicturesInARow = 3;
    private const int Rows = 2;

    public static void Print(Evaluation result, Dataset test)
    {
        PrintConfusion(result.Confusion);
        var mistakes = Enumerable.Range(0, test.Count).Where(i => result.Predictions[i] != test.Labels(i)[0]).ToArray();
        Console.WriteLine();
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"test accuracy {100 * result.Accuracy:F2} %, top-2 {100 * result.TopK(2):F2} %, {mistakes.Length} mistakes"));
        foreach (var row in mistakes.Take(PicturesInARow * Rows).Chunk(PicturesInARow))
        {
            PrintPictures(row, result, test);
        }
    }

    private static void PrintConfusion(ConfusionMatrix confusion)
    {
        Console.WriteLine();
        Console.WriteLine($"true\\said{string.Concat(Enumerable.Range(0, confusion.Classes).Select(c => $"{c,6}"))}   recall  precision");
        for (var truth = 0; truth < confusion.Classes; truth++)
        {
            var counts = Enumerable.Range(0, confusion.Classes).Select(said => confusion[truth, said]);
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{truth,9}{string.Concat(counts.Select(count => count == 0 ? $"{"·",6}" : $"{count,6}"))}  {100 * confusion.Recall(truth),6:F2} %  {100 * confusion.Precision(truth),6:F2} %"));
        }
    }

    private static void PrintPictures(int[] samples, Evaluation result, Dataset test)
    {
        var pictures = Array.ConvertAll(samples, i => Digit.Picture(test.Input(i)));
        var width = pictures[0][0].Length + 2;
        Console.WriteLine();
        Console.WriteLine(string.Concat(samples.Select(i => $"true {test.Labels(i)[0]}, said {result.Predictions[i]}".PadRight(width))).TrimEnd());
        for (var line = 0; line < pictures[0].Length; line++)
        {
            Console.WriteLine(string.Concat(pictures.Select(p => p[line].PadRight(width))).TrimEnd());
        }
    }
}
