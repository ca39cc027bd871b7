// One exception for everything that can be wrong with training data, raised before training starts.
namespace ModelCompiler.Runtime;

/// <summary>A data file is damaged or of another kind, or data does not fit a network.</summary>
public sealed class DatasetException(string message, Exception? inner = null) : Exception(message, inner);
