// The product for use: folded, packed, nothing kept for a gradient.
namespace ModelCompiler.Runtime;

/// <summary>Base of generated inference classes.</summary>
public abstract class InferenceNetwork : CompiledNetwork
{
    private int preparedVersion;

    protected InferenceNetwork(NetworkInfo info, ParameterSet? parameters, int batch, int threads)
        : base(info, parameters, batch, threads)
    {
    }

    /// <summary>Reads <see cref="CompiledNetwork.Inputs"/>, writes <see cref="CompiledNetwork.Outputs"/>. Allocates nothing.</summary>
    /// <exception cref="InvalidOperationException">A box or place in an input is out of range: nothing was written.</exception>
    public void Forward()
    {
        ThrowIfDisposed();
        CheckInputs();
        var version = Parameters.Version;
        if (preparedVersion != version)
        {
            Prepare();
            preparedVersion = version;
        }

        RunForward();
        GC.KeepAlive(this);
    }

    /// <summary>Folds and packs the parameters; called before the first run and after every change of them.</summary>
    protected abstract void Prepare();

    protected abstract void RunForward();
}
