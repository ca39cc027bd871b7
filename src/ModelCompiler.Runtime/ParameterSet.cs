// The weights of one network: a flat buffer that inference and training objects share, so that a network
// in training can be evaluated without copying anything.
namespace ModelCompiler.Runtime;

/// <summary>All parameters and buffers of a network, in PyTorch's layout at the offsets of <see cref="NetworkInfo.Parameters"/>.
/// May be shared by any number of network objects; writing while another thread runs one of them is not synchronised.</summary>
public sealed unsafe class ParameterSet : IDisposable
{
    private readonly Dictionary<string, Parameter> byName;
    private readonly Parameter[] all;
    private readonly PendingValues?[] pending;
    private readonly Lock gate = new();
    private int pendingCount;
    private AlignedBuffer? buffer;
    private bool isDisposed;

    /// <summary>A set of zeros; call <see cref="Initialize"/> or load a file. Memory is taken when values are asked for.</summary>
    public ParameterSet(NetworkInfo info)
    {
        ArgumentNullException.ThrowIfNull(info);
        Info = info;
        all = new Parameter[info.Parameters.Length];
        pending = new PendingValues?[all.Length];
        byName = new Dictionary<string, Parameter>(all.Length, StringComparer.Ordinal);
        for (var i = 0; i < all.Length; i++)
        {
            all[i] = new Parameter(this, info.Parameters[i], i);
            byName.Add(all[i].Name, all[i]);
        }
    }

    public NetworkInfo Info { get; }

    /// <summary>Rises at every change; network objects prepare their packed copies again when it did.</summary>
    public int Version { get; private set; } = 1;

    /// <summary>First float of the storage, 64-byte aligned. Call <see cref="Touch"/> after writing through it. Values that are still
    /// in a file are read first.</summary>
    /// <exception cref="WeightsException">The file was written to after it was loaded.</exception>
    public float* Pointer
    {
        get
        {
            FillAll();
            return Buffer.Pointer;
        }
    }

    /// <summary>The whole storage, padding included. Call <see cref="Touch"/> after writing through it. Values that are still in a file
    /// are read first.</summary>
    /// <exception cref="WeightsException">The file was written to after it was loaded.</exception>
    public Span<float> Storage
    {
        get
        {
            FillAll();
            return Buffer.Span;
        }
    }

    /// <summary>In order of first appearance in the network.</summary>
    public IReadOnlyList<Parameter> All => all;

    /// <summary>The storage as it is; values that are pending are not in it.</summary>
    internal float* Stored => Buffer.Pointer;

    private AlignedBuffer Buffer
    {
        get
        {
            if (buffer is { } made)
            {
                return made;
            }

            lock (gate)
            {
                return isDisposed
                    ? throw new ObjectDisposedException($"{nameof(ParameterSet)} of '{Info.Name}'")
                    : buffer ??= new AlignedBuffer(Info.StorageFloats, $"parameters of '{Info.Name}'");
            }
        }
    }

    /// <exception cref="KeyNotFoundException">No parameter has this name.</exception>
    public Parameter this[string name] => byName.TryGetValue(name, out var parameter)
        ? parameter
        : throw new KeyNotFoundException($"network '{Info.Name}' has no parameter '{name}'; it has {string.Join(", ", all.Take(20).Select(p => p.Name))}{(all.Length > 20 ? ", …" : "")}.");

    public bool TryGet(string name, out Parameter? parameter) => byName.TryGetValue(name, out parameter);

    /// <summary>Tells every network object that uses the set that its values changed.</summary>
    public void Touch() => Version++;

    /// <summary>Fills every parameter by its initializer. The same seed gives the same bits on every platform.</summary>
    public void Initialize(ulong seed)
    {
        ObjectDisposedException.ThrowIf(isDisposed, this);
        var values = new PendingValues(seed);
        foreach (var parameter in all)
        {
            Expect(parameter, values);
        }

        Touch();
    }

    /// <summary>Replaces all values by those of a safetensors file; F64, F16 and BF16 are converted. All or nothing. The file is checked here
    /// and stays open; values are read when they are used, by inference straight into its packed weights. It may be deleted or
    /// replaced meanwhile; if it is written to, whoever needs the values gets a <see cref="WeightsException"/>.</summary>
    /// <param name="strict">False ignores tensors that the network does not have. Missing ones are always an error.</param>
    /// <exception cref="WeightsException">The file is damaged, or made for another network; the message lists every difference.</exception>
    public void Load(string path, bool strict = true) => WeightFile.Load(this, path, strict);

    /// <summary>Replaces the values of the parameters whose names match, for fine-tuning: <c>features.*</c> of a network with another head.
    /// Others stay as they are, and so does what else is in the file. All or nothing.</summary>
    /// <param name="pattern">A name in which <c>*</c> stands for any characters.</param>
    /// <exception cref="ArgumentException">No parameter has such a name.</exception>
    /// <exception cref="WeightsException">The file is damaged, or lacks a parameter that matches; the message lists every difference.</exception>
    public void LoadMatching(string path, string pattern) => WeightFile.LoadMatching(this, path, pattern);

    /// <summary>Writes a safetensors file; an existing one is replaced only when the new one is complete.</summary>
    public void Save(string path) => WeightFile.Save(this, path);

    public void Dispose()
    {
        lock (gate)
        {
            isDisposed = true;
            buffer = null;
            foreach (var values in pending)
            {
                values?.File?.Dispose();
            }

            Array.Clear(pending);
            pendingCount = 0;
        }
    }

    /// <summary>What parameter <paramref name="place"/> waits for; null when its values are in the storage.</summary>
    internal PendingValues? PendingAt(int place) => pendingCount == 0 ? null : Volatile.Read(ref pending[place]);

    /// <summary>From now on the parameter has these values, which are read when they are asked for. A file that nobody waits for any more
    /// is closed when it is collected: another thread may be packing from it.</summary>
    internal void Expect(Parameter parameter, PendingValues values)
    {
        lock (gate)
        {
            pendingCount += pending[parameter.Place] is null ? 1 : 0;
            pending[parameter.Place] = values;
        }
    }

    /// <summary>The storage of a parameter, with its values in it.</summary>
    /// <param name="replace">The caller writes all of them: what they were does not matter.</param>
    internal Span<float> ValuesOf(Parameter parameter, bool replace = false)
    {
        var values = Buffer.Span.Slice(parameter.Info.Offset, parameter.Count);
        if (Volatile.Read(ref pendingCount) == 0)
        {
            return values;
        }

        lock (gate)
        {
            if (pending[parameter.Place] is { } waiting)
            {
                if (!replace)
                {
                    waiting.Fill(parameter.Info, values);
                }

                Volatile.Write(ref pending[parameter.Place], null);
                pendingCount--;
            }
        }

        return values;
    }

    private void FillAll()
    {
        if (Volatile.Read(ref pendingCount) == 0)
        {
            return;
        }

        foreach (var parameter in all)
        {
            _ = ValuesOf(parameter);
        }
    }
}
