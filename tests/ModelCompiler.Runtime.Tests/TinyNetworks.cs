// Networks written by hand the way generated ones are, small enough to check on paper.

namespace ModelCompiler.Runtime.Tests;

/// <summary>Softmax regression of 1x2x3 images to 3 classes, with a buffer that counts samples.</summary>
internal static class Logistic
{
    public const int Inputs = 6;
    public const int Classes = 3;

    public static readonly NetworkInfo Info = new(
        "Logistic",
        [new TensorInfo("image", [1, 2, 3])],
        [new TensorInfo("label", [], TensorKind.Class, Classes)],
        [new TensorInfo("probabilities", [Classes])],
        [
            new ParameterInfo("fc.weight", [Classes, Inputs], 0, true, InitializerKind.FanInUniform, FanIn: Inputs),
            new ParameterInfo("fc.bias", [Classes], 32, true, InitializerKind.Constant),
            new ParameterInfo("seen", [1], 48, false, InitializerKind.Constant),
        ],
        [new LayerInfo("fc", "dense", [Classes], 21, 18, "by hand")],
        StorageFloats: 64,
        TrainableFloats: 48,
        SampleBytes: 64,
        CommonBytes: 0);

    public static unsafe void Softmax(float* parameters, float* image, float* probabilities)
    {
        var largest = float.NegativeInfinity;
        for (var c = 0; c < Classes; c++)
        {
            var sum = parameters[32 + c];
            for (var i = 0; i < Inputs; i++)
            {
                sum += parameters[(c * Inputs) + i] * image[i];
            }

            probabilities[c] = sum;
            largest = Math.Max(largest, sum);
        }

        var total = 0f;
        for (var c = 0; c < Classes; c++)
        {
            probabilities[c] = MathF.Exp(probabilities[c] - largest);
            total += probabilities[c];
        }

        for (var c = 0; c < Classes; c++)
        {
            probabilities[c] /= total;
        }
    }

    /// <summary>Three noisy, separable clusters.</summary>
    public static Dataset Data(int count, ulong seed)
    {
        var random = new RandomGenerator(seed);
        var inputs = new float[count * Inputs];
        var labels = new int[count];
        for (var n = 0; n < count; n++)
        {
            labels[n] = random.Next(Classes);
            for (var i = 0; i < Inputs; i++)
            {
                inputs[(n * Inputs) + i] = (float)(random.NextNormal() * 0.5) + (i % Classes == labels[n] ? 1 : 0);
            }
        }

        return new Dataset([1, 2, 3], inputs, labels, Classes);
    }
}

internal sealed unsafe class LogisticTraining(
    int batch = 4, int threads = 1, Optimizer? optimizer = null, ulong seed = 1, ParameterSet? parameters = null)
    : TrainingNetwork(Logistic.Info, parameters, batch, threads, optimizer, seed)
{
    protected override void RunTraining()
    {
        Run(&EachSample, Batch);
        Run(&Rows, Logistic.Classes);
        var sum = 0f;
        for (var n = 0; n < Batch; n++)
        {
            sum += Samples[(n * 16) + 3];
        }

        *LossPointer = sum / Batch;
        Parameters.Pointer[48] += Batch;
    }

    private static void EachSample(CompiledNetwork network, int begin, int end)
    {
        var self = (LogisticTraining)network;
        for (var n = begin; n < end; n++)
        {
            var work = self.Samples + (n * 16);
            var probabilities = self.OutputPointer(0) + (n * Logistic.Classes);
            Logistic.Softmax(self.Parameters.Pointer, self.InputPointer(0) + (n * Logistic.Inputs), probabilities);
            var truth = self.TargetPointer(0)[n];
            for (var c = 0; c < Logistic.Classes; c++)
            {
                work[c] = (probabilities[c] - (c == truth ? 1 : 0)) / self.Batch;
            }

            work[3] = -MathF.Log(probabilities[truth]);
        }
    }

    private static void Rows(CompiledNetwork network, int begin, int end)
    {
        var self = (LogisticTraining)network;
        for (var c = begin; c < end; c++)
        {
            var bias = 0f;
            var weights = new Span<float>(self.Gradients.Pointer + (c * Logistic.Inputs), Logistic.Inputs);
            weights.Clear();
            for (var n = 0; n < self.Batch; n++)
            {
                var d = self.Samples[(n * 16) + c];
                bias += d;
                for (var i = 0; i < Logistic.Inputs; i++)
                {
                    weights[i] += d * self.InputPointer(0)[(n * Logistic.Inputs) + i];
                }
            }

            self.Gradients.Pointer[32 + c] = bias;
        }
    }
}

internal sealed unsafe class LogisticInference(int batch = 4, int threads = 1, ParameterSet? parameters = null)
    : InferenceNetwork(Logistic.Info, parameters, batch, threads)
{
    public int Prepared { get; private set; }

    protected override void Prepare() => Prepared++;

    protected override void RunForward() => Run(&EachSample, Batch);

    private static void EachSample(CompiledNetwork network, int begin, int end)
    {
        var self = (LogisticInference)network;
        for (var n = begin; n < end; n++)
        {
            Logistic.Softmax(self.Parameters.Pointer, self.InputPointer(0) + (n * Logistic.Inputs), self.OutputPointer(0) + (n * Logistic.Classes));
        }
    }
}

/// <summary>Counts how often each unit of work is done; misbehaves on demand.</summary>
internal sealed unsafe class Probe(int threads) : CompiledNetwork(Logistic.Info, null, 1, threads)
{
    public readonly int[] Counts = new int[1000];

    public int FailAt { get; set; } = -1;

    public void Count(int units) => Run(&Body, units);

    public void CountNested(int units) => Run(&NestedBody, units);

    private static void Body(CompiledNetwork network, int begin, int end)
    {
        var self = (Probe)network;
        for (var unit = begin; unit < end; unit++)
        {
            if (unit == self.FailAt)
            {
                throw new InvalidDataException($"unit {unit}");
            }

            Interlocked.Increment(ref self.Counts[unit]);
        }
    }

    private static void NestedBody(CompiledNetwork network, int begin, int end)
    {
        var self = (Probe)network;
        for (var unit = begin; unit < end; unit++)
        {
            self.Count(7);
        }
    }
}

/// <summary>One flat parameter vector whose gradients the test supplies.</summary>
internal sealed unsafe class GradientFeeder : TrainingNetwork
{
    public GradientFeeder(int count, Optimizer optimizer, int threads = 1)
        : base(Describe([count]), null, 1, threads, optimizer, 0)
    {
    }

    public GradientFeeder(int[] counts, Optimizer optimizer, int threads = 1)
        : base(Describe(counts), null, 1, threads, optimizer, 0)
    {
    }

    public Action<GradientSet> Feed { get; set; } = _ => { };

    public float FedLoss { get; set; }

    protected override void RunTraining()
    {
        Feed(Gradients);
        *LossPointer = FedLoss;
    }

    private static NetworkInfo Describe(int[] counts)
    {
        var offset = 0;
        var parameters = new ParameterInfo[counts.Length];
        for (var i = 0; i < counts.Length; i++)
        {
            parameters[i] = new ParameterInfo($"p{i}", [counts[i]], offset, true, InitializerKind.Constant);
            offset += (counts[i] + 15) / 16 * 16;
        }

        return new NetworkInfo("Feeder", [], [], [], parameters, [], offset, offset, 0, 0);
    }
}
