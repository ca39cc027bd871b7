// What the lecture decks say of training, on networks that learn in a moment: the gradient of a parabola, and XOR.
using ModelCompiler.Runtime;

namespace ModelCompiler.Tests.Emission;

public class WorkedTrainingTests
{
    // Deck 002: f(x) = (-x + 3)^2 has the gradient 2x - 6: at 0, 1 and 5 it is -6, -4 and 4. A batch's loss is a mean.
    [Fact]
    public void Deck002GradientOfAParabola()
    {
        var compiled = new CompiledText("""
            network Parabola {
                input x: 1x1x1
                target zero: 1x1x1
                y = -x -> shift: conv(1, 1x1)
                output f = y
                loss mse(y, zero)
            }
            """);
        using var training = compiled.Training(batch: 3);
        training.Parameters["shift.weight"].Set([1]);
        training.Parameters["shift.bias"].Set([3]);
        ((float[])[0, 1, 5]).CopyTo(training.Inputs[0].Data);
        training.Targets[0].Data.Clear();
        training.ComputeGradients();
        Assert.Equal([-6f / 3, -4f / 3, 4f / 3], training.InputGradients[0].Data.ToArray());
        Assert.Equal((9 + 4 + 4) / 3f, training.Loss, 1e-6f);
    }

    // Deck 002: XOR needs a hidden layer. The best that a linear network can do is to say 1/2 always, a squared error of 1/4.
    [Theory]
    [InlineData("dense(4) -> tanh -> dense(1)", 0, 0.001)]
    [InlineData("dense(1)", 0.249, 0.26)]
    public void Deck002Xor(string layers, double least, double most)
    {
        var compiled = new CompiledText($"network Xor {{ input x: [2]\n target y: [1]\n z = x -> {layers}\n output z\n loss mse(z, y) }}");
        using var training = compiled.Training(batch: 4, optimizer: new Adam(0.05f), seed: 3);
        ((float[])[0, 0, 0, 1, 1, 0, 1, 1]).CopyTo(training.Inputs[0].Data);
        ((float[])[0, 1, 1, 0]).CopyTo(training.Targets[0].Data);
        for (var step = 0; step < 1000; step++)
        {
            training.Step();
        }

        Assert.InRange(training.Loss, least, most);
    }
}
