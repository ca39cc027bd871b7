// What an optimizer does differently for some parameters: no decay for biases, frozen features, a slower start.
namespace ModelCompiler.Runtime;

/// <summary>An exception to an optimizer's settings for parameters whose name matches.</summary>
/// <param name="Pattern">A parameter name in which <c>*</c> stands for any characters: <c>*.bias</c>, <c>layer1.*</c>.</param>
/// <param name="LearningRate">Factor on the optimizer's learning rate.</param>
/// <param name="WeightDecay">Factor on the optimizer's weight decay; 0 for none.</param>
/// <param name="Frozen">Leaves the parameters as they are.</param>
public sealed record ParameterRule(string Pattern, float LearningRate = 1, float WeightDecay = 1, bool Frozen = false);

/// <summary>What is constant over a range of elements.</summary>
internal readonly record struct UpdateFactors(float LearningRate, float WeightDecay, float GradientScale);
