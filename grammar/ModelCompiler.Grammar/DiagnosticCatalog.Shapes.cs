// CNN3xxx: shapes that do not fit.
using System.Collections.Immutable;

namespace ModelCompiler.Grammar;

public static partial class DiagnosticCatalog
{
    private static ImmutableArray<DiagnosticEntry> Shapes() => Rows(
        new("CNN3001", "Wrong number of axes", Severity.Error, "The operator works on channels and space, or on features, and its input has none."),
        new("CNN3002", "Window does not fit", Severity.Error, "The kernel is larger than its padded input, or padding crops everything."),
        new("CNN3003", "Groups do not divide the channels", Severity.Error, "Input and output channels must be divisible by the groups."),
        new("CNN3004", "Shapes cannot be combined", Severity.Error, "Element by element, axes must be equal or of size 1."),
        new("CNN3005", "Shapes cannot be joined", Severity.Error, "Concat needs equal sizes along every axis but the one it joins."),
        new("CNN3006", "Dense layer on a map", Severity.Error, "A dense layer takes a vector or rows of features; flatten or pool the map first."),
        new("CNN3007", "Prediction and target differ", Severity.Error, "A loss compares values of matching shapes."),
        new("CNN3008", "Reshape changes the number of elements", Severity.Error, "A reshape keeps every element."),
        new("CNN3009", "Slice out of range", Severity.Error, "A slice stays inside of its axis."),
        new("CNN3010", "Axis out of range", Severity.Error, "Axes count from 0, or from -1 backwards."),
        new("CNN3011", "Classes where values belong", Severity.Error, "Class targets feed losses of classes only, and in the place of the label."),
        new("CNN3012", "Tensor too large", Severity.Error, "A tensor holds at most 2147483647 elements."),
        new("CNN3013", "Matrices do not fit", Severity.Error, "The columns of the left matrix are the rows of the right one; leading axes are equal."),
        new("CNN3014", "Places or boxes do not fit", Severity.Error, "Places have the shape of what they choose from, and boxes are regions x 4."));
}
