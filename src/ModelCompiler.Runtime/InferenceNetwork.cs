// The product for use: folded, packed, nothing kept for a gradient.
namespace ModelCompiler.Runtime;

/// <summary>Base of generated inference classes.</summary>
public abstract unsafe class InferenceNetwork : CompiledNetwork
{
    private readonly Preparation preparation;
    private int preparedVersion;
    private delegate*<in StepMemory, int, int, void> pack;
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

    /// <summary>Does units [0, units) of a step of the preparation, which reads these parameters whole (places in
    /// <see cref="NetworkInfo.Parameters"/>).</summary>
    protected void Pack(delegate*<in StepMemory, int, int, void> step, int units, ReadOnlySpan<int> parameters)
    {
        preparation.Stage(parameters);
        RunBatch(step, units);
    }

    /// <summary>The same for a step whose unit u reads numbers [u * floats, (u + 1) * floats) of one parameter and no others: what
    /// is still in a file comes from there in pieces.</summary>
    protected void PackRows(delegate*<in StepMemory, int, int, void> step, int units, int parameter, int floats)
    {
        if (Parameters.PendingAt(parameter) is { IsStored: true })
        {
            pack = step;
            (rowsParameter, rowFloats) = (parameter, floats);
            Run(&PackRowsPart, units);
        }
        else
        {
            preparation.Stage([parameter]);
            preparation.Source = preparation[parameter];
            RunBatch(step, units);
            preparation.Source = null;
        }
    }

    /// <summary>For steps of the preparation.</summary>
    internal float* StagedParameter(int place) => preparation[place];

    internal float* Temporary => preparation.Temporary;

    internal float* Source => preparation.Source;

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
            pack(new StepMemory(this, 0, scratch, Parameters.Stored + parameter.Info.Offset), begin, end);
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
            pack(new StepMemory(this, 0, scratch, piece - start), from, to);
        }
    }
}
