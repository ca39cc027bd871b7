// Random damage to good files: whatever the text, the parser ends, does not throw, and points into the file. Seeds are
// fixed, so a failure is found again; the time is bounded, not the number of texts. A longer run, with other seeds, is
// asked for by the environment (CONTRIBUTING.md).
using System.Diagnostics;
using System.Globalization;
using System.Text;
using static ModelCompiler.Grammar.Tests.Texts;

namespace ModelCompiler.Grammar.Tests;

public class FuzzTests
{
    /// <summary>More than this is kept only by something that grows with the number of texts.</summary>
    private const long MostMemory = 512L << 20;

    private static readonly TimeSpan Time = TimeSpan.FromSeconds(Setting("CNN_FUZZ_SECONDS", 5));

    private static readonly int Seed = Setting("CNN_FUZZ_SEED", 3);

    private static readonly string[] Fragments =
    [
        "(", ")", "[", "]", "{", "}", "->", "=", "==", ",", ":", ".", "..", "+", "-", "*", "^", "@", "\n", " ", "\"", "//", "/*", "*/", "if ", " then ", " else ",
        " for ", " of ", " and ", "not ", "in", "out ", "block ", "network ", "use ", "input ", "class", "3x3", "3x", "1e", "0..", ".5", "→", ";", "\r", "\t", "\0", "\uD800",
        "é", "99999999999999999999", "x", "= =", "}}", "(((", "a{", "{i}:", "parameter ", "init:", "loss ",
    ];

    [Fact]
    public void DamagedTokensNeverThrow()
    {
        var random = new Random(Seed);
        var samples = Samples(File.ReadAllText(Path.Combine(GrammarFolder(), "language.md"))).Select(sample => sample.Text).ToArray();
        var derivation = new Derivation(Ebnf.Read(File.ReadAllText(Path.Combine(GrammarFolder(), "cnn.ebnf"))), random);
        RunFor(i =>
        {
            var text = new StringBuilder(i % 2 == 0 ? samples[random.Next(samples.Length)] : derivation.File(200));
            for (var change = random.Next(1, 8); change > 0; change--)
            {
                var at = random.Next(text.Length + 1);
                switch (random.Next(3))
                {
                    case 0:
                        text.Remove(at, Math.Min(random.Next(12), text.Length - at));
                        break;
                    case 1:
                        text.Insert(at, text.ToString(at, Math.Min(random.Next(30), text.Length - at)));
                        break;
                    default:
                        text.Insert(at, Fragments[random.Next(Fragments.Length)]);
                        break;
                }
            }

            return text.ToString();
        });
    }

    [Fact]
    public void DamagedBytesNeverThrow()
    {
        var random = new Random(Seed + 1);
        var samples = Samples(File.ReadAllText(Path.Combine(GrammarFolder(), "language.md"))).Select(sample => sample.Text).ToArray();
        RunFor(i =>
        {
            var bytes = Encoding.UTF8.GetBytes(samples[random.Next(samples.Length)]);
            for (var change = random.Next(1, 20); change > 0; change--)
            {
                bytes[random.Next(bytes.Length)] = random.Next(3) switch
                {
                    0 => (byte)random.Next(1, 128),
                    1 => (byte)random.Next(0, 256),
                    _ => bytes[random.Next(bytes.Length)],
                };
            }

            return Encoding.UTF8.GetString(bytes, 0, random.Next(bytes.Length));
        });
    }

    private static void RunFor(Func<int, string> next)
    {
        var watch = Stopwatch.StartNew();
        var accepted = 0;
        var refused = 0;
        for (var i = 0; watch.Elapsed < Time; i++)
        {
            var text = next(i);
            var result = OnSmallStackIfRare(i, text);
            Check(text, result);
            accepted += result.Diagnostics.IsEmpty ? 1 : 0;
            refused += result.Diagnostics.IsEmpty ? 0 : 1;
        }

        Assert.True(refused > 20 && accepted > 0, $"{accepted} accepted, {refused} refused");
        Assert.InRange(GC.GetTotalMemory(forceFullCollection: true), 0, MostMemory);
    }

    private static int Setting(string name, int usual) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : usual;

    private static ParseResult OnSmallStackIfRare(int i, string text) => i % 16 == 0 ? OnSmallStack(() => Parse(text)) : Parse(text);

    private static void Check(string text, ParseResult result)
    {
        foreach (var diagnostic in result.Diagnostics)
        {
            Assert.InRange(diagnostic.Place.Span.Start, 0, text.Length);
            Assert.InRange(diagnostic.Place.Span.End, diagnostic.Place.Span.Start, text.Length);
            Assert.NotNull(DiagnosticCatalog.Find(diagnostic.Code));
            Assert.InRange(diagnostic.Message.Length, 10, 250);
        }

        var pending = new Stack<SyntaxNode>([result.File]);
        while (pending.Count > 0)
        {
            var node = pending.Pop();
            foreach (var child in SyntaxWalk.Children(node))
            {
                Assert.InRange(child.Span.Start, node.Span.Start, node.Span.End);
                Assert.InRange(child.Span.End, child.Span.Start, node.Span.End);
                pending.Push(child);
            }
        }

        Assert.True(!result.Diagnostics.IsEmpty || !result.File.Declarations.IsEmpty, "neither a declaration nor a diagnostic");
    }
}
