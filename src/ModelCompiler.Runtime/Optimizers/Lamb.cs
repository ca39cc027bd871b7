// LAMB (You et al. 2020): Adam whose step for each parameter is as long as the parameter itself times the rate, so
// that very large batches with large rates stay stable.
using System.Numerics;

namespace ModelCompiler.Runtime;

/// <summary>u = m̂ / (√v̂ + epsilon) + weightDecay · p; p -= rate · (‖p‖ / ‖u‖) · u for each parameter; the ratio is 1 where a
/// norm is 0.</summary>
public sealed unsafe class Lamb(
    float learningRate = 1e-3f, float beta1 = 0.9f, float beta2 = 0.999f, float epsilon = 1e-6f, float weightDecay = 0.01f)
    : Optimizer(learningRate, weightDecay)
{
    private readonly float beta1 = Adam.CheckBeta(beta1, nameof(beta1));
    private readonly float beta2 = Adam.CheckBeta(beta2, nameof(beta2));
    private readonly float epsilon = Adam.CheckEpsilon(epsilon);
    private float scale1;
    private float scale2;

    /// <summary>The third is the step itself, kept between its two passes.</summary>
    internal override IReadOnlyList<string> StateNames => ["exp_avg", "exp_avg_sq", "step"];

    private protected override bool PerParameter => true;

    private protected override void BeginUpdate()
    {
        scale1 = (float)(1 / (1 - Math.Pow(beta1, Updates)));
        scale2 = (float)(1 / (1 - Math.Pow(beta2, Updates)));
    }

    private protected override void UpdateRange(float* parameters, float* gradients, int offset, int count, in UpdateFactors factors)
    {
        var step = StatePointer(2) + offset;
        ComputeStep(parameters, gradients, offset, step, count, factors);
        var (weightNorm, stepNorm) = (Math.Sqrt(Norms.SumSquares(parameters, count)), Math.Sqrt(Norms.SumSquares(step, count)));
        var length = factors.LearningRate * (float)(weightNorm > 0 && stepNorm > 0 ? weightNorm / stepNorm : 1);
        var i = 0;
        for (; i <= count - Vector<float>.Count; i += Vector<float>.Count)
        {
            Vector.Store(Vector.Load(parameters + i) - (Vector.Load(step + i) * length), parameters + i);
        }

        for (; i < count; i++)
        {
            parameters[i] -= step[i] * length;
        }
    }

    private void ComputeStep(float* parameters, float* gradients, int offset, float* step, int count, in UpdateFactors factors)
    {
        var (decay, scale) = (factors.WeightDecay, factors.GradientScale);
        var (new1, new2) = (1 - beta1, 1 - beta2);
        var first = StatePointer(0) + offset;
        var second = StatePointer(1) + offset;
        var i = 0;
        for (; i <= count - Vector<float>.Count; i += Vector<float>.Count)
        {
            var g = Vector.Load(gradients + i) * scale;
            var m = (Vector.Load(first + i) * beta1) + (g * new1);
            var v = (Vector.Load(second + i) * beta2) + (g * g * new2);
            Streaming.Ask(parameters + i);
            Streaming.Ask(gradients + i);
            Streaming.Ask(first + i);
            Streaming.Ask(second + i);
            Vector.Store(m, first + i);
            Vector.Store(v, second + i);
            var direction = m * scale1 / (Vector.SquareRoot(v * scale2) + new Vector<float>(epsilon));
            Vector.Store(direction + (Vector.Load(parameters + i) * decay), step + i);
        }

        for (; i < count; i++)
        {
            var g = gradients[i] * scale;
            first[i] = (first[i] * beta1) + (g * new1);
            second[i] = (second[i] * beta2) + (g * g * new2);
            step[i] = (first[i] * scale1 / (MathF.Sqrt(second[i] * scale2) + epsilon)) + (parameters[i] * decay);
        }
    }
}
