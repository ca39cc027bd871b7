// The lecture decks' example of descent: Booth's function, whose curvatures are 2 and 18, so that steps of up to 2/18 = 0.111 converge.
// From (-8, -8), a hundred steps; the minimum is at (1, 3).
namespace ModelCompiler.Runtime.Tests;

public class WorkedOptimizationTests
{
    [Theory]
    [InlineData(0.098f, 0, 1, 3, 1e-3)]
    [InlineData(0.10f, 0, 1, 3, 1e-3)]
    [InlineData(0.11f, 0, -0.326, 1.674, 1e-3)]             // still swings: a factor of -0.98 a step
    [InlineData(0.11f, 0.25f, 1.000, 3.000, 1e-3)]          // momentum calms it
    public void Deck002Booth(float rate, float momentum, double x, double y, double tolerance)
    {
        var end = Descend(rate, momentum);
        Assert.Equal(x, end[0], tolerance);
        Assert.Equal(y, end[1], tolerance);
    }

    [Fact]
    public void Deck002BoothTooSlowAndTooFast()
    {
        var slow = Descend(0.01f, 0);
        Assert.InRange(Math.Abs(slow[0] - 1), 0.1, 0.2);
        var fast = Descend(0.12f, 0);
        Assert.Equal(-2.8e7, fast[0], 0.05e7);
    }

    private static float[] Descend(float rate, float momentum)
    {
        using var network = new GradientFeeder(2, new Sgd(rate, momentum: momentum), threads: 1);
        var point = network.Parameters["p0"];
        point.Set([-8, -8]);
        for (var step = 0; step < 100; step++)
        {
            var (x, y) = (point.ToArray()[0], point.ToArray()[1]);
            var (a, b) = (x + (2 * y) - 7, (2 * x) + y - 5);
            float[] gradient = [(2 * a) + (4 * b), (4 * a) + (2 * b)];
            network.Feed = gradients => gradient.CopyTo(gradients.Storage);
            network.Step();
        }

        return point.ToArray();
    }
}
