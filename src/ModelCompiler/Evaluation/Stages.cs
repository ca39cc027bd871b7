// Stages: recipes that wait for their input. Composition is kept flat, so that `(a -> b) -> c` and
// `a -> (b -> c)` are the same list of members and get the same names.
using System.Collections.Immutable;
using ModelCompiler.Grammar;
using ModelCompiler.Operators;

namespace ModelCompiler.Evaluation;

internal abstract class StageValue : Value
{
    /// <summary>What an automatic name starts with: the operator, or the block in lower case.</summary>
    public abstract string BaseName { get; }

    /// <summary>The stage without the places it went through, for asking what kind it is.</summary>
    public virtual StageValue Core => this;

    public override string Text => BaseName;

    public override string Describe() => $"the stage '{Text}'";

    /// <summary>The members when written in a row; a stage that is no sequence is its own only member.</summary>
    public virtual ImmutableArray<StageValue> Members => [this];
}

/// <summary>An operator with its checked arguments, or bare (<paramref name="arguments"/> null) as its name alone.</summary>
/// <param name="place">The operator's word.</param>
internal sealed class OperatorStage(Operator @operator, SourceSpan place, OperatorArguments? arguments) : StageValue
{
    public Operator Operator { get; } = @operator;

    public Signature Signature { get; } = @operator.Signature;

    public SourceSpan Place { get; } = place;

    public OperatorArguments? Arguments { get; } = arguments;

    public override string BaseName => Signature.Name;
}

/// <summary>A use of a block, with arguments by parameter name, or bare.</summary>
internal sealed class BlockStage(BlockSyntax block, Scope home, SourceSpan place, ImmutableDictionary<string, Argument>? arguments) : StageValue
{
    public BlockSyntax Block { get; } = block;

    /// <summary>The scope the block is declared in: of a file, or of the body of another block or network.</summary>
    public Scope Home { get; } = home;

    public SourceSpan Place { get; } = place;

    public ImmutableDictionary<string, Argument>? Arguments { get; } = arguments;

    public override string BaseName => Block.Name.Text.ToLowerInvariant();

    public override string Text => Block.Name.Text;
}

/// <summary>Stages in a row; none is <c>identity</c>.</summary>
internal sealed class SequenceStage(ImmutableArray<StageValue> members) : StageValue
{
    public override ImmutableArray<StageValue> Members { get; } = members;

    public override string BaseName => "sequence";

    public override string Describe() => "a sequence of stages";

    public static StageValue Of(IEnumerable<StageValue> stages) =>
        new SequenceStage(ImmutableArray.CreateRange(stages.SelectMany(stage => stage.Members)));
}

/// <summary>Stages that get the same input and give a list.</summary>
internal sealed class FanOutStage(ImmutableArray<StageValue> branches) : StageValue
{
    public ImmutableArray<StageValue> Branches { get; } = branches;

    public override string BaseName => "list";

    public override string Describe() => "a list of stages";
}

internal sealed class LabelledStage(string label, SourceSpan place, StageValue inner) : StageValue
{
    public string Label { get; } = label;

    public SourceSpan Place { get; } = place;

    public StageValue Inner { get; } = inner;

    public override string BaseName => Inner.BaseName;

    public override string Describe() => Inner.Describe();
}

/// <summary>A recipe at a place of use: its layers are named as if the recipe stood there in full.</summary>
/// <param name="key">Text position of the use, or position and number of a repetition.</param>
/// <param name="use">The name by which it is used, and where; null where the text of the stage is the place itself.</param>
internal sealed class PlacedStage(ImmutableArray<int> key, Label? use, StageValue inner) : StageValue
{
    public ImmutableArray<int> Key { get; } = key;

    public Label? Use { get; } = use;

    public StageValue Inner { get; } = inner;

    public override StageValue Core => Inner.Core;

    public override string BaseName => Inner.BaseName;

    public override string Text => Inner.Text;

    public override ImmutableArray<StageValue> Members => Inner.Core is SequenceStage
        ? ImmutableArray.CreateRange<StageValue>(Inner.Members.Select(member => new PlacedStage(Key, Use, member)))
        : [this];

    public override string Describe() => Inner.Describe();
}

/// <summary>A stage whose values are computed again for the gradient instead of being kept; its names are those of what is inside.</summary>
internal sealed class CheckpointStage(StageValue inner) : StageValue
{
    public StageValue Inner { get; } = inner;

    public override StageValue Core => Inner.Core;

    public override string BaseName => Inner.BaseName;

    public override string Text => Inner.Text;

    public override string Describe() => Inner.Describe();
}

/// <summary>One set of weights for all uses.</summary>
internal sealed class SharedStage(string name, SourceSpan place, PathScope path, StageValue inner) : StageValue
{
    public string Name { get; } = name;

    public SourceSpan Place { get; } = place;

    public PathScope Path { get; } = path;

    public StageValue Inner { get; } = inner;

    public override string BaseName => Inner.BaseName;

    public override string Describe() => $"the shared stage '{Name}'";
}
