// CNN2001 to CNN2049: names, types and arguments.
using System.Collections.Immutable;

namespace ModelCompiler.Grammar;

public static partial class DiagnosticCatalog
{
    private static ImmutableArray<DiagnosticEntry> Names() => Rows(
        new DiagnosticEntry("CNN2001", "Unknown name", Severity.Error, "The name is bound nowhere in sight, and no operator has it."),
        new DiagnosticEntry("CNN2002", "Unknown argument", Severity.Error, "The operator, block or network has no argument of that name."),
        new DiagnosticEntry("CNN2003", "Argument missing", Severity.Error, "An argument without a default was not given."),
        new DiagnosticEntry("CNN2004", "Too many arguments", Severity.Error, "There are more positional arguments than the signature has."),
        new DiagnosticEntry("CNN2005", "Argument of the wrong kind", Severity.Error, "The argument wants another kind of value, such as an integer or dims."),
        new DiagnosticEntry("CNN2006", "Argument out of range", Severity.Error, "The number is smaller or larger than the argument allows."),
        new DiagnosticEntry("CNN2007", "Argument given twice", Severity.Error, "An argument was given twice, by position and by name or twice by name."),
        new DiagnosticEntry("CNN2008", "Wrong number of sizes", Severity.Error, "Dims must have one size for each spatial axis of the input."),
        new DiagnosticEntry("CNN2009", "Value of the wrong kind", Severity.Error, "The value cannot be used here: a number where a tensor belongs, or the other way round."),
        new DiagnosticEntry("CNN2010", "Cannot be used as a stage", Severity.Error, "A function or network stands where an operator or block belongs, or something is called that cannot be."),
        new DiagnosticEntry("CNN2011", "Condition is not true or false", Severity.Error, "'if', 'and', 'or' and 'not' want a boolean."),
        new DiagnosticEntry("CNN2012", "'in' outside of a block", Severity.Error, "'in' is the input of a block; networks name their inputs."),
        new DiagnosticEntry("CNN2013", "Defined by itself", Severity.Error, "A name is needed to evaluate itself."),
        new DiagnosticEntry("CNN2014", "Wrong number of names", Severity.Error, "A list is split over as many names as it has items."),
        new DiagnosticEntry("CNN2015", "Label without a stage", Severity.Error, "A label or `shared` names a stage, because stages have weights."),
        new DiagnosticEntry("CNN2016", "Unknown member", Severity.Error, "The value has no such member, or its shape has no such axis."),
        new DiagnosticEntry("CNN2017", "Index out of range", Severity.Error, "The index is negative, or not smaller than the count."),
        new DiagnosticEntry("CNN2018", "Misplaced 'class'", Severity.Error, "'class' stands only at the start of the shape of a target."),
        new DiagnosticEntry("CNN2019", "Wrong use of a function", Severity.Error, "The function does not take these values."),
        new DiagnosticEntry("CNN2020", "Unknown word", Severity.Error, "The argument takes certain words, and this is none of them."),
        new DiagnosticEntry("CNN2021", "Not a stage", Severity.Error, "Behind '->' belongs a stage: an operator, a block, or a list of them."),
        new DiagnosticEntry("CNN2022", "Label used twice", Severity.Error, "Two layers of one scope have the same label, and so their weights the same name."),
        new DiagnosticEntry("CNN2023", "Wrong number of tensors", Severity.Error, "The operator takes another number of tensors than flows in."),
        new DiagnosticEntry("CNN2024", "Not a tensor", Severity.Error, "Outputs, losses and results of blocks are tensors."),
        new DiagnosticEntry("CNN2025", "Arithmetic without a result", Severity.Error, "The numbers have no such result: a division that leaves a remainder, by zero, or too large a number."),
        new DiagnosticEntry("CNN2027", "Name defined twice", Severity.Error, "Names are bound once in each block, network and file, and files must not collide."),
        new DiagnosticEntry("CNN2028", "Statement in the wrong place", Severity.Error, "The statement belongs in another kind of body."),
        new DiagnosticEntry("CNN2029", "Block without one result", Severity.Error, "A block has exactly one 'out'."),
        new DiagnosticEntry("CNN2030", "Network without its ends", Severity.Error, "A network has inputs, outputs, and at most one loss."),
        new DiagnosticEntry("CNN2031", "Output depends on a target", Severity.Error, "Targets are known in training only, and outputs are needed always."),
        new DiagnosticEntry("CNN2032", "Loss is not one number", Severity.Error, "A loss is a scalar."),
        new DiagnosticEntry("CNN2033", "Not a shape", Severity.Error, "The shape of an input, target or parameter cannot be that."),
        new DiagnosticEntry("CNN2034", "Not a network", Severity.Error, "A derived network is a network with arguments."),
        new DiagnosticEntry("CNN2035", "Name of an operator", Severity.Error, "Blocks and networks cannot have the name of an operator."),
        new DiagnosticEntry("CNN2036", "Shared layer with two widths", Severity.Error, "All inputs of a shared layer need weights of one shape."),
        new DiagnosticEntry("CNN2037", "Name of another class", Severity.Error, "A network becomes a class, whose name must be none that C# or the generated code needs."));
}
