// The weights of one network: a flat buffer that inference and training objects share, so that a network
// in training can be evaluated without copying anything.
namespace ModelCompiler.Runtime;

/// <summary>All parameters and buffers of a network, in PyTorch's layout at the offsets of <see cref="NetworkInfo.Parameters"/>.
/// May be shared by any number of network objects; writing while another thread runs one of them is not synchronised.</summary>
public sealed unsafe class ParameterSet : IDisposable
{
    private readonly Dictionary<string, Parameter> byName;
    private readonly Parameter[] all;
    private AlignedBuffer? buffer;

    /// <summary>A set of zeros; call <see cref="Initialize"/> or load a file.</summary>
    public ParameterSet(NetworkInfo info)
    {
        ArgumentNullException.ThrowIfNull(info);
        Info = info;
        buffer = new AlignedBuffer(info.StorageFloats, $"parameters of '{info.Name}'");
        all = Array.ConvertAll(info.Parameters, p => new Parameter(this, p));
        byName = all.ToDictionary(p => p.Name, StringComparer.Ordinal);
    }

    public NetworkInfo Info { get; }

    /// <summary>Rises at every change; network objects prepare their packed copies again when it did.</summary>
    public int Version { get; private set; } = 1;

    /// <summary>First float of the storage, 64-byte aligned. Call <see cref="Touch"/> after writing through it.</summary>
    public float* Pointer => Buffer.Pointer;

    /// <summary>The whole storage, padding included. Call <see cref="Touch"/> after writing through it.</summary>
    public Span<float> Storage => Buffer.Span;

    /// <summary>In order of first appearance in the network.</summary>
    public IReadOnlyList<Parameter> All => all;

    private AlignedBuffer Buffer => buffer ?? throw new ObjectDisposedException($"{nameof(ParameterSet)} of '{Info.Name}'");

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
        Initialization.Fill(this, seed);
        Touch();
    }

    /// <summary>Replaces all values by those of a safetensors file; F64, F16 and BF16 are converted. All or nothing.</summary>
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

    public void Dispose() => buffer = null;
}
