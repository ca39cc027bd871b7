// As much of a TextMate highlighter as the grammar of .cnn files needs: single matches with captures, spans from a begin
// to an end, and includes; line by line, the leftmost match wins, of several there the first in the file.
using System.Text.Json;
using System.Text.RegularExpressions;

namespace ModelCompiler.Grammar.Tests;

internal sealed class TextMate
{
    private readonly List<Pattern> patterns = [];

    public TextMate(string json)
    {
        using var document = JsonDocument.Parse(json);
        var root = document.RootElement;
        Add(root.GetProperty("patterns"), root.GetProperty("repository"));
    }

    private sealed record Pattern(string? Name, Regex Start, Regex? End, IReadOnlyDictionary<int, string> Captures);

    /// <summary>The scope of each character, empty where no pattern matched.</summary>
    public string[] Scopes(string text)
    {
        var scopes = Enumerable.Repeat("", text.Length).ToArray();
        Pattern? open = null;
        var start = 0;
        foreach (var line in text.Split('\n'))
        {
            var at = 0;
            while (at <= line.Length)
            {
                if (open is not null)
                {
                    var end = open.End!.Match(line, at);
                    var stop = end.Success ? end.Index + end.Length : line.Length;
                    Fill(scopes, start + at, stop - at, open.Name!);
                    at = end.Success ? stop : line.Length + 1;
                    open = end.Success ? null : open;
                    continue;
                }

                var best = patterns.Select(pattern => (Pattern: pattern, Match: pattern.Start.Match(line, at)))
                    .Where(found => found.Match.Success && found.Match.Length > 0)
                    .OrderBy(found => found.Match.Index)
                    .FirstOrDefault();
                if (best.Pattern is null)
                {
                    break;
                }

                Fill(scopes, start + best.Match.Index, best.Match.Length, best.Pattern.Name ?? "");
                foreach (var (group, name) in best.Pattern.Captures)
                {
                    Fill(scopes, start + best.Match.Groups[group].Index, best.Match.Groups[group].Length, name);
                }

                at = best.Match.Index + best.Match.Length;
                open = best.Pattern.End is null ? null : best.Pattern;
            }

            start += line.Length + 1;
        }

        return scopes;
    }

    private static void Fill(string[] scopes, int start, int length, string name) => Array.Fill(scopes, name, start, length);

    private void Add(JsonElement list, JsonElement repository)
    {
        foreach (var element in list.EnumerateArray())
        {
            if (element.TryGetProperty("include", out var include))
            {
                Add(repository.GetProperty(include.GetString()!.TrimStart('#')).GetProperty("patterns"), repository);
                continue;
            }

            var name = element.TryGetProperty("name", out var named) ? named.GetString() : null;
            var start = element.TryGetProperty("match", out var match) ? match : element.GetProperty("begin");
            var end = element.TryGetProperty("end", out var ending) ? new Regex(ending.GetString()!, RegexOptions.CultureInvariant) : null;
            var captures = element.TryGetProperty("captures", out var groups)
                ? groups.EnumerateObject().ToDictionary(group => int.Parse(group.Name), group => group.Value.GetProperty("name").GetString()!)
                : [];
            patterns.Add(new Pattern(name, new Regex(start.GetString()!, RegexOptions.CultureInvariant), end, captures));
        }
    }
}
