// CNN4xxx: warnings and hints that teach.
using System.Collections.Immutable;

namespace ModelCompiler.Grammar;

public static partial class DiagnosticCatalog
{
    private static ImmutableArray<DiagnosticEntry> Advice() => Rows(
        new DiagnosticEntry("CNN4001", "Two linear layers in a row", Severity.Info, "Convolutions or dense layers with nothing non-linear between them equal one."),
        new DiagnosticEntry("CNN4002", "Probabilities where logits belong", Severity.Warning, "cross_entropy applies softmax itself and binary_cross_entropy sigmoid; applying it twice flattens the gradient."),
        new DiagnosticEntry("CNN4003", "Stride leaves elements unused", Severity.Warning, "The stride does not divide the input, so its last rows or columns are never read."),
        new DiagnosticEntry("CNN4004", "Never used", Severity.Warning, "What is bound to the name is not part of the network."),
        new DiagnosticEntry("CNN4005", "Bias before batch normalization", Severity.Info, "Batch normalization subtracts the mean, and the bias with it."),
        new DiagnosticEntry("CNN4006", "Dropout before batch normalization", Severity.Info, "Dropout changes the variance in training and not in use, so that the running statistics do not fit."),
        new DiagnosticEntry("CNN4007", "Layer with most of the parameters", Severity.Info, "One layer holds more than half of the parameters of a large network."),
        new DiagnosticEntry("CNN4008", "Receptive field larger than the input", Severity.Info, "An element sees a window of more than four times the input; what it sees beyond is padding."),
        new DiagnosticEntry("CNN4009", "Name hides an operator", Severity.Info, "Inside this body the name is the binding and not the operator."),
        new DiagnosticEntry("CNN4010", "Receptive field smaller than the objects", Severity.Warning, "No output sees a whole object of the size that the input states by 'objects'."),
        new DiagnosticEntry("CNN4011", "Activations beyond the memory budget", Severity.Warning, "The activations of one sample take more memory than the project's budget."),
        new DiagnosticEntry("CNN4012", "Arguments in another library's order", Severity.Warning, "The channels of the input are not an argument: conv(channels, kernel) is all there is to say."),
        new DiagnosticEntry("CNN4013", "One class to choose from", Severity.Warning, "A loss over classes needs two of them at least."));
}
