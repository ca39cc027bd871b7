// What an optimizer does differently for some parameters: no decay for biases, frozen features, a slower start.
using System.IO.Enumeration;

namespace ModelCompiler.Runtime;

/// <summary>An exception to an optimizer's settings for the parameters it matches. What it leaves null stays as rules before
/// it have it.</summary>
/// <param name="Pattern">A parameter name in which <c>*</c> stands for any characters: <c>*.bias</c>, <c>layer1.*</c>.</param>
/// <param name="LearningRate">Factor on the optimizer's learning rate.</param>
/// <param name="WeightDecay">Factor on the optimizer's weight decay; 0 for none.</param>
/// <param name="Frozen">Leaves the parameters as they are.</param>
public sealed record ParameterRule(string Pattern, float? LearningRate = null, float? WeightDecay = null, bool? Frozen = null)
{
    /// <summary>No weight decay for biases and the weights of norms, which all are vectors: the usual choice.</summary>
    public static ParameterRule NoDecayForVectors { get; } = new("*", WeightDecay: 0) { VectorsOnly = true };

    /// <summary>Whether only parameters of one axis match: biases, and weights of norms.</summary>
    public bool VectorsOnly { get; init; }

    internal bool Matches(ParameterInfo parameter) =>
        (!VectorsOnly || parameter.Shape.Length <= 1) && FileSystemName.MatchesSimpleExpression(Pattern, parameter.Name, ignoreCase: false);
}

/// <summary>What is constant over a range of elements.</summary>
internal readonly record struct UpdateFactors(float LearningRate, float WeightDecay, float GradientScale);
