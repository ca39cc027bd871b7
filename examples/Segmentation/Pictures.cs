// A data set of its own making: disks, squares and triangles of any colour on a dark background, all of it noisy, and for every
// pixel which of them it shows. What colour a form has says nothing of its class, so a network has to look at forms.
using ModelCompiler.Runtime;

namespace Segmentation;

internal static class Pictures
{
    private const int Size = 64;
    private const int Channels = 3;
    private const float Noise = 0.15f;

    public static readonly string[] Classes = ["background", "disk", "square", "triangle"];

    /// <summary>The same seed gives the same pictures.</summary>
    public static Dataset Make(int count, ulong seed)
    {
        var random = new RandomGenerator(seed);
        var (inputs, labels) = (new float[count * Channels * Size * Size], new int[count * Size * Size]);
        for (var i = 0; i < count; i++)
        {
            Draw(inputs.AsSpan(i * Channels * Size * Size, Channels * Size * Size), labels.AsSpan(i * Size * Size, Size * Size), random);
        }

        return new Dataset([Channels, Size, Size], inputs, labels, Classes.Length, [Size, Size]);
    }

    /// <summary>What a sample's labels are and what the network says, side by side: <c>.</c> <c>o</c> <c>#</c> <c>^</c>.</summary>
    public static void Print(ReadOnlySpan<int> truth, ReadOnlySpan<int> said)
    {
        const string Signs = ".o#^";
        const int Step = 2;
        string Line(ReadOnlySpan<int> row) => string.Concat(row.ToArray().Where((_, x) => x % Step == 0).Select(c => Signs[c]));
        Console.WriteLine($"\n{"true",-(Size / Step) - 2}said");
        for (var y = 0; y < Size; y += 2 * Step)
        {
            Console.WriteLine($"{Line(truth.Slice(y * Size, Size))}  {Line(said.Slice(y * Size, Size))}");
        }
    }

    private static void Draw(Span<float> image, Span<int> labels, RandomGenerator random)
    {
        Paint(image, labels, 0, random, brightness: -1, (_, _) => true);
        for (var shapes = 2 + random.Next(3); shapes > 0; shapes--)
        {
            var form = 1 + random.Next(Classes.Length - 1);
            var (x0, y0, r) = (8 + random.Next(Size - 16), 8 + random.Next(Size - 16), 7 + random.Next(9));
            Paint(image, labels, form, random, random.NextFloat(0, 1), (x, y) => Classes[form] switch
            {
                "disk" => ((x - x0) * (x - x0)) + ((y - y0) * (y - y0)) <= r * r,
                "square" => Math.Abs(x - x0) <= r && Math.Abs(y - y0) <= r,
                _ => Math.Abs(y - y0) <= r && 2 * Math.Abs(x - x0) <= y - y0 + r,
            });
        }
    }

    /// <summary>Gives all pixels inside one colour, noise and class.</summary>
    private static void Paint(Span<float> image, Span<int> labels, int form, RandomGenerator random, float brightness, Func<int, int, bool> inside)
    {
        var colour = Enumerable.Range(0, Channels).Select(_ => brightness + random.NextFloat(-0.5f, 0.5f)).ToArray();
        for (var pixel = 0; pixel < Size * Size; pixel++)
        {
            if (inside(pixel % Size, pixel / Size))
            {
                labels[pixel] = form;
                for (var c = 0; c < Channels; c++)
                {
                    image[(c * Size * Size) + pixel] = colour[c] + (Noise * (float)random.NextNormal());
                }
            }
        }
    }
}
