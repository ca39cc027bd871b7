// CNN4xxx: warnings and hints that teach.
using System.Collections.Immutable;

namespace ModelCompiler.Grammar;

public static partial class DiagnosticCatalog
{
    private static ImmutableArray<DiagnosticEntry> Advice() => Rows(
        new DiagnosticEntry("CNN4001", "Two linear layers in a row", Severity.Info, "Convolutions or dense layers with nothing non-linear between them equal one."),
        new DiagnosticEntry("CNN4002", "Softmax before cross entropy", Severity.Warning, "cross_entropy applies softmax itself; applying it twice flattens the gradient."),
        new DiagnosticEntry("CNN4003", "Stride leaves elements unused", Severity.Warning, "The stride does not divide the input, so its last rows or columns are never read."),
        new DiagnosticEntry("CNN4004", "Never used", Severity.Warning, "What is bound to the name is not part of the network."),
        new DiagnosticEntry("CNN4005", "Bias before batch normalization", Severity.Info, "Batch normalization subtracts the mean, and the bias with it."),
        new DiagnosticEntry("CNN4006", "Dropout before batch normalization", Severity.Info, "Dropout changes the variance in training and not in use, so that the running statistics do not fit."),
        new DiagnosticEntry("CNN4007", "Layer with most of the parameters", Severity.Info, "One layer holds more than half of the parameters of a large network."),
        new DiagnosticEntry("CNN4008", "Receptive field larger than the input", Severity.Info, "An element sees a window of more than four times the input; what it sees beyond is padding."),
        new DiagnosticEntry("CNN4009", "Name hides an operator", Severity.Info, "Inside this body the name is the binding and not the operator."));
}
