// One pass over the flat parameter buffer, whatever the rule: the groups a user asks for become a few segments of it.
namespace ModelCompiler.Runtime;

/// <summary>Turns gradients into new parameters. An object belongs to the one training network it was given to. Updates are
/// element by element, so they do not depend on the number of threads.</summary>
public abstract unsafe class Optimizer
{
    /// <summary>Floats of a unit of work; also the fixed blocks in which norms are summed.</summary>
    private const int Block = 4096;

    private readonly List<ParameterRule> rules = [];
    private AlignedBuffer[] state = [];
    private Segment[] segments = [];
    private double[] partialSums = [];
    private TrainingNetwork? network;
    private float gradientScale = 1;
    private int trainable;

    protected Optimizer(float learningRate, float weightDecay)
    {
        LearningRate = learningRate;
        WeightDecay = weightDecay;
    }

    /// <summary>May be changed between steps: schedules do.</summary>
    public float LearningRate
    {
        get;
        set
        {
            if (!(value >= 0) || !float.IsFinite(value))
            {
                throw new ArgumentOutOfRangeException(nameof(value), value, "a learning rate is a finite number, 0 or more.");
            }

            field = value;
        }
    }

    public float WeightDecay
    {
        get;
        set
        {
            if (!(value >= 0) || !float.IsFinite(value))
            {
                throw new ArgumentOutOfRangeException(nameof(value), value, "weight decay is a finite number, 0 or more.");
            }

            field = value;
        }
    }

    /// <summary>When above 0, gradients are scaled down so that their joint L2 norm stays below it (torch.nn.utils.clip_grad_norm_).</summary>
    public float ClipNorm { get; init; }

    /// <summary>When above 0, every element of a gradient is limited to ±this (torch.nn.utils.clip_grad_value_), before
    /// <see cref="ClipNorm"/> looks at them.</summary>
    public float ClipValue { get; init; }

    /// <summary>Exceptions by parameter name; of several that match, the last one to give a setting counts.</summary>
    public IReadOnlyList<ParameterRule> Rules
    {
        get => rules;
        init => rules.AddRange(value);
    }

    /// <summary>Updates done: Adam's bias correction depends on it.</summary>
    public long Updates { get; internal set; }

    /// <summary>The norm of all gradients before clipping at the last update; 0 when <see cref="ClipNorm"/> is off.</summary>
    public float GradientNorm { get; private set; }

    /// <summary>Names of the state vectors, PyTorch's: <c>exp_avg</c>.</summary>
    internal abstract IReadOnlyList<string> StateNames { get; }

    internal Span<float> State(int index) => state[index].Span;

    internal void Attach(TrainingNetwork network)
    {
        if (this.network is not null)
        {
            throw new InvalidOperationException($"this {GetType().Name} already serves a '{this.network.Info.Name}': give every training network its own optimizer.");
        }

        this.network = network;
        trainable = network.Info.TrainableFloats;
        segments = Segment.Of(network.Info, rules, merge: !PerParameter);
        partialSums = new double[Blocks(trainable)];
        state = StateNames.Select(name => new AlignedBuffer(trainable, $"optimizer state '{name}'")).ToArray();
    }

    /// <returns>False when the gradients' norm is needed and not finite: nothing was changed.</returns>
    internal bool Update(TrainingNetwork network)
    {
        gradientScale = 1;
        if (ClipNorm > 0)
        {
            network.Run(&SumSquares, partialSums.Length);
            var sum = 0.0;
            foreach (var partial in partialSums)
            {
                sum += partial;
            }

            GradientNorm = (float)Math.Sqrt(sum);
            if (!float.IsFinite(GradientNorm))
            {
                return false;
            }

            gradientScale = Math.Min(1, ClipNorm / (GradientNorm + 1e-6f));
        }

        Updates++;
        BeginUpdate();
        if (PerParameter)
        {
            network.Run(&UpdateParameters, segments.Length);
        }
        else
        {
            network.Run(&UpdateBlocks, partialSums.Length);
        }

        return true;
    }

    /// <summary>Whether <see cref="UpdateRange"/> wants whole parameters, one call each, because it needs their norms.</summary>
    private protected virtual bool PerParameter => false;

    /// <summary>Computes what all elements share.</summary>
    private protected virtual void BeginUpdate()
    {
    }

    /// <summary>Updates <paramref name="count"/> elements.</summary>
    /// <param name="offset">Of the first element, a multiple of 16; index into the state vectors.</param>
    private protected abstract void UpdateRange(float* parameters, float* gradients, int offset, int count, in UpdateFactors factors);

    private protected float* StatePointer(int index) => state[index].Pointer;

    private static int Blocks(int floats) => (floats + Block - 1) / Block;

    private static void UpdateBlocks(CompiledNetwork network, int begin, int end)
    {
        var training = (TrainingNetwork)network;
        var self = training.Optimizer;
        var first = begin * Block;
        var last = (int)Math.Min((long)end * Block, self.trainable);
        foreach (ref readonly var segment in self.segments.AsSpan())
        {
            var from = Math.Max(first, segment.Begin);
            var to = Math.Min(last, segment.End);
            if (from < to)
            {
                self.Update(training, segment, from, to);
            }
        }
    }

    private static void UpdateParameters(CompiledNetwork network, int begin, int end)
    {
        var training = (TrainingNetwork)network;
        var self = training.Optimizer;
        foreach (ref readonly var segment in self.segments.AsSpan(begin, end - begin))
        {
            self.Update(training, segment, segment.Begin, segment.End);
        }
    }

    private void Update(TrainingNetwork training, in Segment segment, int from, int to)
    {
        var factors = new UpdateFactors(LearningRate * segment.LearningRate, WeightDecay * segment.WeightDecay, gradientScale);
        var gradients = training.Gradients.Pointer + from;
        if (ClipValue > 0 && ClipNorm == 0)
        {
            Norms.Limit(gradients, to - from, ClipValue);
        }

        UpdateRange(training.Parameters.Pointer + from, gradients, from, to - from, factors);
    }

    /// <summary>One double for each block, in 16 fixed lanes: the same bits for every number of threads and vector width.</summary>
    private static void SumSquares(CompiledNetwork network, int begin, int end)
    {
        var training = (TrainingNetwork)network;
        var self = training.Optimizer;
        for (var block = begin; block < end; block++)
        {
            var sum = 0.0;
            var first = block * Block;
            var last = (int)Math.Min((long)first + Block, self.trainable);
            foreach (ref readonly var segment in self.segments.AsSpan())
            {
                var from = Math.Max(first, segment.Begin);
                var to = Math.Min(last, segment.End);
                if (from < to)
                {
                    if (self.ClipValue > 0)
                    {
                        Norms.Limit(training.Gradients.Pointer + from, to - from, self.ClipValue);
                    }

                    sum += Norms.SumSquares(training.Gradients.Pointer + from, to - from);
                }
            }

            self.partialSums[block] = sum;
        }
    }
}
