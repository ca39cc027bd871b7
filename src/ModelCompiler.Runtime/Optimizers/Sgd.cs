// Stochastic gradient descent; the definition of torch.optim.SGD.
using System.Numerics;

namespace ModelCompiler.Runtime;

/// <summary>g = gradient + weightDecay · p; b = momentum · b + g; p -= rate · (nesterov ? g + momentum · b : b).</summary>
public sealed unsafe class Sgd : Optimizer
{
    private readonly float momentum;
    private readonly bool nesterov;

    /// <param name="momentum">0 … 1; 0 needs no state.</param>
    /// <param name="nesterov">Looks ahead (Sutskever et al. 2013); needs momentum.</param>
    public Sgd(float learningRate = 0.01f, float momentum = 0, float weightDecay = 0, bool nesterov = false)
        : base(learningRate, weightDecay)
    {
        if (momentum is not (>= 0 and < 1))
        {
            throw new ArgumentOutOfRangeException(nameof(momentum), momentum, "momentum lies in 0 … 1, 1 excluded.");
        }

        if (nesterov && momentum == 0)
        {
            throw new ArgumentException("Nesterov's method needs momentum above 0.", nameof(nesterov));
        }

        this.momentum = momentum;
        this.nesterov = nesterov;
    }

    internal override IReadOnlyList<string> StateNames => momentum > 0 ? ["momentum_buffer"] : [];

    private protected override void UpdateRange(float* parameters, float* gradients, int offset, int count, in UpdateFactors factors)
    {
        var (rate, decay, scale) = (factors.LearningRate, factors.WeightDecay, factors.GradientScale);
        var buffer = momentum > 0 ? StatePointer(0) + offset : null;
        var i = 0;
        for (; i <= count - Vector<float>.Count; i += Vector<float>.Count)
        {
            var p = Vector.Load(parameters + i);
            var step = (Vector.Load(gradients + i) * scale) + (p * decay);
            Streaming.Ask(parameters + i);
            Streaming.Ask(gradients + i);
            if (buffer != null)
            {
                Streaming.Ask(buffer + i);
                var b = (Vector.Load(buffer + i) * momentum) + step;
                Vector.Store(b, buffer + i);
                step = nesterov ? step + (b * momentum) : b;
            }

            Vector.Store(p - (step * rate), parameters + i);
        }

        for (; i < count; i++)
        {
            var step = (gradients[i] * scale) + (parameters[i] * decay);
            if (buffer != null)
            {
                buffer[i] = (buffer[i] * momentum) + step;
                step = nesterov ? step + (buffer[i] * momentum) : buffer[i];
            }

            parameters[i] -= step * rate;
        }
    }
}
