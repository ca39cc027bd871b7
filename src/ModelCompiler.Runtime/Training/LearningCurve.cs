// How training went, as a picture that any browser shows.
using System.Globalization;
using System.Text;

namespace ModelCompiler.Runtime;

/// <summary>Draws the loss, and a measure of the test data where it was evaluated, over the epochs.</summary>
public static class LearningCurve
{
    private const int Width = 640;
    private const int Height = 360;
    private const int Margin = 56;
    private const string LossColour = "#c0392b";
    private const string MeasureColour = "#2166ac";

    /// <summary>Writes an SVG file; an existing one is replaced.</summary>
    /// <param name="measure">What <paramref name="value"/> gives of an evaluation; the accuracy in percent when left out.</param>
    public static void Write(
        string path, string title, IReadOnlyList<EpochResult> results, string measure = "test accuracy, %", Func<Evaluation, double>? value = null)
    {
        using var file = new AtomicFile(path);
        file.Stream.Write(Encoding.UTF8.GetBytes(Draw(title, results, measure, value)));
        file.Commit();
    }

    /// <summary>The text of the SVG file.</summary>
    public static string Draw(
        string title, IReadOnlyList<EpochResult> results, string measure = "test accuracy, %", Func<Evaluation, double>? value = null)
    {
        value ??= result => 100 * result.Accuracy;
        var svg = new StringBuilder();
        Line(svg, $"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {Width} {Height}' font-family='sans-serif' font-size='12'>");
        Line(svg, $"<rect width='{Width}' height='{Height}' fill='white'/>");
        Line(svg, $"<text x='{Width / 2}' y='24' text-anchor='middle' font-size='15'>{Escape(title)}</text>");
        Line(svg, $"<path d='M{Margin} {Margin}V{Height - Margin}H{Width - Margin}V{Margin}' fill='none' stroke='#888'/>");
        Line(svg, $"<text x='{Width / 2}' y='{Height - 16}' text-anchor='middle'>epoch</text>");
        if (results.Count > 0)
        {
            foreach (var epoch in Labelled(results))
            {
                Line(svg, $"<text x='{X(results, epoch.Epoch):F1}' y='{Height - Margin + 18}' text-anchor='middle'>{epoch.Epoch}</text>");
            }

            Curve(svg, "loss", LossColour, Margin - 6, "end", "0.###", results, results.Select(r => (r.Epoch, r.Loss)));
            Curve(
                svg, Escape(measure), MeasureColour, Width - Margin + 6, "start", "G4", results,
                results.Where(r => r.Test is not null).Select(r => (r.Epoch, value(r.Test!))));
        }

        Line(svg, $"</svg>");
        return svg.ToString();
    }

    /// <summary>At most about ten, so that the numbers do not overlap.</summary>
    private static IEnumerable<EpochResult> Labelled(IReadOnlyList<EpochResult> results) =>
        results.Where((_, i) => i % Math.Max((results.Count + 9) / 10, 1) == 0);

    private static double X(IReadOnlyList<EpochResult> results, int epoch)
    {
        var span = Math.Max(results[^1].Epoch - results[0].Epoch, 1);
        return Margin + ((double)(epoch - results[0].Epoch) / span * (Width - (2 * Margin)));
    }

    private static void Curve(
        StringBuilder svg, string name, string colour, int axis, string anchor, string format,
        IReadOnlyList<EpochResult> results, IEnumerable<(int Epoch, double Value)> values)
    {
        var points = values.Where(p => double.IsFinite(p.Value)).ToArray();
        if (points.Length == 0)
        {
            return;
        }

        var (low, high) = (points.Min(p => p.Value), points.Max(p => p.Value));
        double Y(double value) => high > low ? Height - Margin - ((value - low) / (high - low) * (Height - (2 * Margin))) : Height / 2.0;
        foreach (var value in high > low ? new[] { low, high } : [low])
        {
            Line(svg, $"<text x='{axis}' y='{Y(value) + 4:F1}' text-anchor='{anchor}' fill='{colour}'>{value.ToString(format, CultureInfo.InvariantCulture)}</text>");
        }

        Line(svg, $"<text x='{axis}' y='{Margin - 12}' text-anchor='{(anchor == "end" ? "start" : "end")}' fill='{colour}'>{name}</text>");
        var path = string.Join(' ', points.Select(p => string.Create(CultureInfo.InvariantCulture, $"{X(results, p.Epoch):F1},{Y(p.Value):F1}")));
        Line(svg, $"<polyline points='{path}' fill='none' stroke='{colour}' stroke-width='2'/>");
        foreach (var point in points)
        {
            Line(svg, $"<circle cx='{X(results, point.Epoch):F1}' cy='{Y(point.Value):F1}' r='3' fill='{colour}'/>");
        }
    }

    private static void Line(StringBuilder svg, FormattableString text) => svg.Append(text.ToString(CultureInfo.InvariantCulture)).Append('\n');

    private static string Escape(string text) =>
        text.Replace("&", "&amp;", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal);
}
