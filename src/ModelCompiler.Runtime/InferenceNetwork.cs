// The product for use: folded, packed, nothing kept for a gradient.
namespace ModelCompiler.Runtime;

/// <summary>Base of generated inference classes.</summary>
public abstract unsafe class InferenceNetwork : CompiledNetwork
{
    private readonly Preparation preparation;
    private int preparedVersion;
    private StepCode pack;
    private int rowsParameter;
    private int rowFloats;

    protected InferenceNetwork(NetworkInfo info, ParameterSet? parameters, int batch, int threads)
        : base(info, parameters, batch, threads)
    {
        preparation = new Preparation(Parameters, info.PreparationBytes, Threads);
    }

    /// <summary>Reads <see cref="CompiledNetwork.Inputs"/>, writes <see cref="CompiledNetwork.Outputs"/>. Allocates nothing.</summary>
    /// <exception cref="InvalidOperationException">A box or place in an input is out of range: nothing was written.</exception>
    /// <exception cref="WeightsException">The file of the weights was written to after it was loaded and before this first run.</exception>
    public void Forward()
    {
        ThrowIfDisposed();
        CheckInputs();
        var version = Parameters.Version;
        if (preparedVersion != version)
        {
            preparation.Begin();
            try
            {
                Prepare();
            }
            finally
            {
                preparation.End();
            }

            preparedVersion = version;
        }

        RunForward();
        GC.KeepAlive(this);
    }

    /// <summary>Folds and packs the parameters; called before the first run and after every change of them.</summary>
    protected abstract void Prepare();

    protected abstract void RunForward();

    /// <summary>See <see cref="Steps.Pack"/>.</summary>
    internal void Pack(StepCode step, ReadOnlySpan<long> operands)
    {
        Span<int> needed = stackalloc int[operands.Length];
        var count = 0;
        foreach (var operand in operands)
        {
            if (Place.RegionOf(operand) == Place.Weight)
            {
                needed[count++] = Place.IndexOf(operand);
            }
        }

        preparation.Stage(needed[..count]);
        RunBatch(step);
    }

    /// <summary>See <see cref="Steps.PackRows"/>.</summary>
    internal void PackRows(StepCode step, ReadOnlySpan<long> operands, int floats)
    {
        var parameter = Place.IndexOf(operands[0]);
        if (Parameters.PendingAt(parameter) is { IsStored: true })
        {
            (pack, rowsParameter, rowFloats) = (step, parameter, floats);
            Run(&PackRowsPart, step.Units);
        }
        else
        {
            Pack(step, operands);
        }
    }

    internal float* StagedParameter(int place) => preparation[place];

    internal float* Temporary => preparation.Temporary;

    private static void PackRowsPart(CompiledNetwork network, int begin, int end)
    {
        var self = (InferenceNetwork)network;
        var scratch = self.BorrowScratch(out var thread);
        try
        {
            self.PackRows(scratch, thread, begin, end);
        }
        finally
        {
            self.ReturnScratch(thread);
        }
    }

    private void PackRows(float* scratch, int thread, int begin, int end)
    {
        var parameter = Parameters.All[rowsParameter];
        var values = Parameters.PendingAt(rowsParameter);
        if (values is null)
        {
            pack.Run(this, 0, scratch, begin, end, Parameters.Stored + parameter.Info.Offset);
            return;
        }

        var atOnce = Preparation.RowsAtOnce(rowFloats);
        for (var from = begin; from < end; from += atOnce)
        {
            var to = Math.Min(end, from + atOnce);
            var start = (long)from * rowFloats;
            var count = (int)(Math.Min((long)to * rowFloats, parameter.Count) - start);
            var piece = preparation.Piece(thread, count);
            values.Read(start, new Span<float>(piece, count));
            pack.Run(this, 0, scratch, from, to, piece - start);
        }
    }
}
