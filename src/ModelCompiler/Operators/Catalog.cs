// Every word of the language that makes tensors, by name. A new operator is one entry in its family's list; a new
// family is one line here.
using System.Collections.Immutable;

namespace ModelCompiler.Operators;

public static class Catalog
{
    /// <summary>Operators by name; ordinal order.</summary>
    public static ImmutableSortedDictionary<string, Operator> All { get; } = new[]
    {
        ConvolutionOperators.All,
        FixedFilters.All,
        DenseOperators.All,
        PoolingOperators.All,
        AdaptivePooling.All,
        ResamplingOperators.All,
        Activations.All,
        Elementwise.All,
        NormalizationOperators.All,
        LocalContrast.All,
        MovementOperators.All,
        AxisOperators.All,
        AttentionOperators.All,
        PositionOperators.All,
        RecurrentOperators.All,
        SelectionOperators.All,
        RegionOperators.All,
        SoftmaxOperators.All,
        LossOperators.All,
        ClassLosses.All,
        ContrastiveLosses.All,
    }.SelectMany(family => family).ToImmutableSortedDictionary(op => op.Signature.Name, op => op, StringComparer.Ordinal);
}
