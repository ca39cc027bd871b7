// A picture is tested by its parts: well-formed, and with every point where it belongs.
using System.Xml.Linq;

namespace ModelCompiler.Runtime.Tests;

public class LearningCurveTests
{
    [Fact]
    public void PointsLieBetweenTheAxes()
    {
        using var training = new LogisticTraining(batch: 4);
        using var evaluator = new LogisticInference(parameters: training.Parameters);
        var results = new Trainer(training) { Evaluator = evaluator }.Fit(Logistic.Data(40, 1), 25, Logistic.Data(30, 2));
        using var folder = new TemporaryFolder();
        LearningCurve.Write(folder["curve.svg"], "a < b & c", results);
        var svg = XDocument.Load(folder["curve.svg"]).Root!;
        XNamespace space = "http://www.w3.org/2000/svg";
        Assert.Equal("a < b & c", svg.Elements(space + "text").First().Value);
        Assert.Equal(2, svg.Elements(space + "polyline").Count());
        var circles = svg.Elements(space + "circle").ToArray();
        Assert.Equal(50, circles.Length);
        Assert.All(circles, c => Assert.InRange((double)c.Attribute("cy")!, 56, 304));
        Assert.Equal([56.0, 584.0], new[] { (double)circles[0].Attribute("cx")!, (double)circles[24].Attribute("cx")! });
        Assert.InRange(svg.Elements(space + "text").Count(t => int.TryParse(t.Value, out _) && (string)t.Attribute("y")! == "322"), 5, 10);
    }

    [Fact]
    public void OneEpochAndNoneAreFine()
    {
        XDocument.Parse(LearningCurve.Draw("none", []));
        var one = LearningCurve.Draw("one", [new EpochResult(1, 0.5, TimeSpan.Zero, null)]);
        Assert.Contains("cx='56.0' cy='180.0'", one);
        Assert.DoesNotContain("accuracy", one);
        Assert.DoesNotContain("circle", LearningCurve.Draw("diverged", [new EpochResult(1, double.NaN, TimeSpan.Zero, null)]));
    }
}
