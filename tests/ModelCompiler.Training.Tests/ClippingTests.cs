// Gradients lie in blocks of 16 with a rest that belongs to no weight: it must not count.
namespace ModelCompiler.Training.Tests;

public class ClippingTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    public void TheNormIsThatOfTheWeights(int batch)
    {
        using var training = new Odd.Training(batch, 1, optimizer: new Sgd(0.01f) { ClipNorm = 1e-3f });
        for (var step = 0UL; step < 3; step++)
        {
            var random = new Random((int)step);
            foreach (ref var value in training.Image)
            {
                value = random.NextSingle() - 0.5f;
            }

            training.Wanted.Fill(step);
            training.Step();
            var norm = Math.Sqrt(training.Gradients.All.Sum(g => g.ToArray().Sum(v => (double)v * v)));
            Assert.InRange(training.Optimizer.GradientNorm, norm * (1 - 1e-6), norm * (1 + 1e-6));
        }
    }
}
