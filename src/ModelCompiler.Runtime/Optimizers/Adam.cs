// Adam (Kingma and Ba 2015) and AdamW (Loshchilov and Hutter 2019); the definitions of torch.optim.
using System.Numerics;

namespace ModelCompiler.Runtime;

/// <summary>m and v are running means of the gradient and its square; p -= rate · m̂ / (√v̂ + epsilon) with both corrected for
/// their start at 0. Weight decay is added to the gradient.</summary>
public class Adam : Optimizer
{
    private readonly float beta1;
    private readonly float beta2;
    private readonly float epsilon;
    private double correction1;
    private double rootCorrection2;

    public Adam(float learningRate = 1e-3f, float beta1 = 0.9f, float beta2 = 0.999f, float epsilon = 1e-8f, float weightDecay = 0)
        : base(learningRate, weightDecay)
    {
        this.beta1 = CheckBeta(beta1, nameof(beta1));
        this.beta2 = CheckBeta(beta2, nameof(beta2));
        this.epsilon = CheckEpsilon(epsilon);
    }

    internal sealed override IReadOnlyList<string> StateNames => ["exp_avg", "exp_avg_sq"];

    /// <summary>Whether decay shrinks the parameter itself (AdamW) instead of joining the gradient.</summary>
    private protected virtual bool Decoupled => false;

    internal static float CheckBeta(float beta, string name) => beta is >= 0 and < 1
        ? beta
        : throw new ArgumentOutOfRangeException(name, beta, $"{name} lies in 0 … 1, 1 excluded.");

    internal static float CheckEpsilon(float epsilon) => epsilon > 0
        ? epsilon
        : throw new ArgumentOutOfRangeException(nameof(epsilon), epsilon, "epsilon is above 0.");

    private protected sealed override void BeginUpdate()
    {
        correction1 = 1 - Math.Pow(beta1, Updates);
        rootCorrection2 = Math.Sqrt(1 - Math.Pow(beta2, Updates));
    }

    private protected sealed override unsafe void UpdateRange(float* parameters, float* gradients, int offset, int count, in UpdateFactors factors)
    {
        var scale = factors.GradientScale;
        var keep = Decoupled ? 1 - (factors.LearningRate * factors.WeightDecay) : 1;
        var decay = Decoupled ? 0 : factors.WeightDecay;
        var stepSize = (float)(factors.LearningRate / correction1);
        var root = (float)rootCorrection2;
        var (new1, new2) = (1 - beta1, 1 - beta2);
        var first = StatePointer(0) + offset;
        var second = StatePointer(1) + offset;
        var i = 0;
        for (; i <= count - Vector<float>.Count; i += Vector<float>.Count)
        {
            var p = Vector.Load(parameters + i) * keep;
            var g = (Vector.Load(gradients + i) * scale) + (p * decay);
            var m = (Vector.Load(first + i) * beta1) + (g * new1);
            var v = (Vector.Load(second + i) * beta2) + (g * g * new2);
            Streaming.Ask(parameters + i);
            Streaming.Ask(gradients + i);
            Streaming.Ask(first + i);
            Streaming.Ask(second + i);
            Vector.Store(m, first + i);
            Vector.Store(v, second + i);
            var denominator = (Vector.SquareRoot(v) / new Vector<float>(root)) + new Vector<float>(epsilon);
            Vector.Store(p - (m / denominator * stepSize), parameters + i);
        }

        for (; i < count; i++)
        {
            var p = parameters[i] * keep;
            var g = (gradients[i] * scale) + (p * decay);
            first[i] = (first[i] * beta1) + (g * new1);
            second[i] = (second[i] * beta2) + (g * g * new2);
            parameters[i] = p - (first[i] / ((MathF.Sqrt(second[i]) / root) + epsilon) * stepSize);
        }
    }
}

/// <summary><see cref="Adam"/> with decoupled weight decay: p *= 1 - rate · weightDecay before the step.</summary>
public sealed class AdamW(
    float learningRate = 1e-3f, float beta1 = 0.9f, float beta2 = 0.999f, float epsilon = 1e-8f, float weightDecay = 0.01f)
    : Adam(learningRate, beta1, beta2, epsilon, weightDecay)
{
    private protected override bool Decoupled => true;
}
