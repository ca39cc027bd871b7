// A file beside a `.cnn` file that says how its layers are computed where a measurement knew better than the planner's estimates.
// `cnnc tune` writes it; it is text, one line for a layer, so that it can be read, compared, and edited:
//
//   tune 1
//   ResNet18 inference layer1.0.bn1 convolution 64x56x56*64x64x3x3->64x56x56 winograd F(4x4)   # 0.281 ms; direct 0.880 ms
//
// A line that does not fit any more costs a warning and speed, never a build.
using System.Collections.Immutable;
using ModelCompiler.Grammar;

namespace ModelCompiler.Planning;

/// <param name="Layer">As for <see cref="ChoicePoint"/>, like the two that follow.</param>
/// <param name="Note">What the line says behind its <c>#</c>; empty for nothing.</param>
/// <param name="Place">Where it was read; null for an entry that was made in memory.</param>
public sealed record TuningEntry(string Network, bool Training, string Layer, string Step, string Shapes, KernelChoice Choice, string Note = "", SourceSpan? Place = null);

public sealed class Tuning
{
    /// <summary>Stands behind the name of the `.cnn` file.</summary>
    public const string Extension = ".tune";

    private const string Head = "tune 1";
    private const string Trains = "training";
    private const string Infers = "inference";

    /// <summary>A file that is none is told so a few times, not for each of its lines.</summary>
    private const int MostProblems = 20;
    private const int LongestFile = 1 << 20;

    public Tuning(IEnumerable<TuningEntry> entries)
        : this([.. entries], ImmutableArray<Diagnostic>.Empty)
    {
    }

    private Tuning(ImmutableArray<TuningEntry> entries, ImmutableArray<Diagnostic> diagnostics) => (Entries, Diagnostics) = (entries, diagnostics);

    public ImmutableArray<TuningEntry> Entries { get; }

    /// <summary>What the text itself got wrong.</summary>
    public ImmutableArray<Diagnostic> Diagnostics { get; }

    public static Tuning Read(SourceFile file)
    {
        var entries = ImmutableArray.CreateBuilder<TuningEntry>();
        var problems = ImmutableArray.CreateBuilder<Diagnostic>();
        var known = new HashSet<string>(StringComparer.Ordinal);
        void Problem(SourceSpan place, string message)
        {
            if (problems.Count < MostProblems)
            {
                problems.Add(new Diagnostic("CNN4023", Severity.Warning, place, message));
            }
        }

        var headed = false;
        foreach (var (line, place) in Lines(file))
        {
            var comment = line.IndexOf('#');
            var words = (comment < 0 ? line : line.Substring(0, comment)).Split(default(char[]), StringSplitOptions.RemoveEmptyEntries);
            if (words.Length == 0)
            {
                continue;
            }

            if (!headed)
            {
                if (string.Join(" ", words) != Head)
                {
                    Problem(place, $"a file of kernel choices begins with the line '{Head}'; nothing of this one is used: delete it, or write it anew with 'cnnc tune'");
                    break;
                }

                headed = true;
            }
            else if (words.Length < 6 || words[1] is not (Infers or Trains) || KernelChoice.Parse(words.Skip(5).ToList()) is not { } choice)
            {
                Problem(place, "this line is no choice of a kernel and is not used; one reads 'Network inference layer step shapes kernel', where the kernel is "
                    + "'direct', 'direct 1x14x2', 'direct blocked', 'winograd F(2x2)', 'winograd F(4x4)' or 'strassen'");
            }
            else if (!known.Add(string.Join(" ", words.Take(5))))
            {
                Problem(place, $"a line above has chosen a kernel for '{words[2]}' already, so this one is not used");
            }
            else
            {
                entries.Add(new TuningEntry(words[0], words[1] == Trains, words[2], words[3], words[4], choice, comment < 0 ? "" : line.Substring(comment + 1).Trim(), place));
            }
        }

        return new Tuning(entries.ToImmutable(), problems.ToImmutable());
    }

    /// <summary>The file's text; <see cref="Read"/> gives the same entries back.</summary>
    /// <param name="remarks">Lines for its head, without their <c>#</c>.</param>
    public string Write(IEnumerable<string> remarks) => string.Concat(
        remarks.Select(remark => $"# {remark}").Append(Head)
            .Concat(Entries.Select(e => $"{e.Network} {(e.Training ? Trains : Infers)} {e.Layer} {e.Step} {e.Shapes} {e.Choice}{(e.Note.Length == 0 ? "" : "   # " + e.Note)}"))
            .Select(line => line + "\n"));

    /// <summary>The choices for one product of a network.</summary>
    public TuningOfPlan For(string network, bool training) => new(network, training, Entries.Where(e => e.Network == network && e.Training == training));

    /// <summary>Warns of entries for networks that the file does not have, or that it cannot train.</summary>
    /// <param name="networks">Name of each network, and whether it has a loss.</param>
    internal IEnumerable<Diagnostic> Foreign(IReadOnlyCollection<(string Name, bool Trains)> networks)
    {
        foreach (var same in Entries.Where(e => e.Place is not null && !networks.Contains((e.Network, true)) && (e.Training || !networks.Contains((e.Network, false)))).GroupBy(e => (e.Network, e.Training)))
        {
            var first = same.First();
            yield return new Diagnostic("CNN4022", Severity.Warning, first.Place!.Value, networks.Any(n => n.Name == first.Network)
                ? $"network '{first.Network}' has no loss and is not trained, so choices for its training are not used ({same.Count()} in this file)"
                : $"there is no network '{first.Network}' in the file beside this one, so choices for it are not used ({same.Count()} in this file)");
        }
    }

    private static IEnumerable<(string Text, SourceSpan Place)> Lines(SourceFile file)
    {
        if (file.Text.Length > LongestFile)
        {
            yield return ("too long", new SourceSpan(file, new TextSpan(0, 0)));
            yield break;
        }

        for (var i = 0; i < file.LineCount; i++)
        {
            var (start, end) = (file.LineStart(i), i + 1 < file.LineCount ? file.LineStart(i + 1) : file.Text.Length);
            var text = file.Text.Substring(start, end - start);
            yield return (text, new SourceSpan(file, new TextSpan(start + (text.Length - text.TrimStart().Length), text.Trim().Length)));
        }
    }
}

/// <summary>The choices for one plan, and what became of them.</summary>
public sealed class TuningOfPlan(string network, bool training, IEnumerable<TuningEntry> entries)
{
    private readonly Dictionary<(string, string, string), TuningEntry> choices = entries.GroupBy(e => (e.Layer, e.Step, e.Shapes)).ToDictionary(same => same.Key, same => same.First());

    internal KernelChoice? Find(string layer, string step, string shapes) => choices.TryGetValue((layer, step, shapes), out var entry) ? entry.Choice : null;

    /// <summary>Warns of entries that the plan of this network could not follow.</summary>
    internal IEnumerable<Diagnostic> Unused(IReadOnlyCollection<ChoicePoint> points)
    {
        foreach (var entry in choices.Values.Where(e => e.Place is not null).OrderBy(e => e.Place!.Value.Span.Start))
        {
            var same = points.Where(p => p.Layer == entry.Layer && p.Step == entry.Step).ToList();
            var meant = same.Where(p => p.Shapes == entry.Shapes).ToList();
            if (meant.Count == 0)
            {
                yield return new Diagnostic("CNN4021", Severity.Warning, entry.Place!.Value, (same.Count > 0
                    ? $"layer '{entry.Layer}' of '{network}' is {same[0].Shapes} now"
                    : $"'{network}' has no layer '{entry.Layer}' whose {entry.Step} has a choice of kernels in {(training ? "training" : "inference")}") + "; this choice is not used: run 'cnnc tune' again");
            }
            else if (!meant.Any(p => p.IsPossible(entry.Choice)))
            {
                yield return new Diagnostic("CNN4022", Severity.Warning, entry.Place!.Value,
                    $"layer '{entry.Layer}' of '{network}' cannot be computed by '{entry.Choice}', so this choice is not used; possible are {string.Join(", ", meant[0].Options.Select(o => $"'{o}'"))}");
            }
        }
    }
}
