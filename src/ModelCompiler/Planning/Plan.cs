// What is emitted: steps in order, each a kernel and the addresses it works on, all offsets known.
using System.Collections.Immutable;
using ModelCompiler.Grammar;
using ModelCompiler.Graph;
using ModelCompiler.Kernels;

namespace ModelCompiler.Planning;

public enum Region
{
    /// <summary>The slab of each sample: activations and their gradients.</summary>
    Samples,

    /// <summary>The slab of each sixteen samples: values that lie interleaved.</summary>
    Groups,

    /// <summary>One for all samples: packed weights, folded norms, statistics, scratch.</summary>
    Common,

    /// <summary>One for each thread, whose content lives as long as a call, or as steps that take turns.</summary>
    Scratch,

    /// <summary>One for all samples that lives as long as the preparation of an inference object: folded weights that are packed next.</summary>
    Preparation,

    /// <summary>The parameter set's flat storage.</summary>
    Parameters,

    /// <summary>The gradients' flat storage, laid out as the parameters'.</summary>
    Gradients,

    /// <summary>Buffers the user reads and writes; <see cref="Address.Index"/> tells which. A sample follows a sample without a gap.</summary>
    Input,
    Target,
    Output,
    InputGradient,
    Loss,
}

/// <param name="Offset">Floats from the start of the region (for <see cref="Region.Samples"/> and <see cref="Region.Groups"/> of each slab).</param>
/// <param name="Index">Which of the user's buffers; for <see cref="Region.Scratch"/> the blocks of 16 floats by which it begins earlier with every turn of
/// steps that take turns.</param>
public readonly record struct Address(Region Region, int Offset, int Index = 0)
{
    /// <summary>Whether every sample has a copy, or every group of samples.</summary>
    public bool Batched => Region is Region.Samples or Region.Groups or Region.Input or Region.Target or Region.Output or Region.InputGradient;
}

/// <summary>One call of a kernel.</summary>
/// <param name="Name">Unique, made of the layer path: <c>layer1_0_conv1_convolution</c>.</param>
/// <param name="Description">The node as text, for the comment behind the step.</param>
/// <param name="Floats">Floats read and written for one sample (in all for a kernel that touches none).</param>
/// <param name="WithNext">Whether a sample goes through the next step before the next sample begins; both have Sample scope.</param>
/// <param name="Turns">Where a sample goes through it and the next step in turns: how many; the units of each divide evenly. Else 0.</param>
/// <param name="Prepare">Whether it is one of <see cref="Plan.Prepare"/>.</param>
/// <param name="ByGroups">Whether it runs for each sixteen samples; of Sample scope.</param>
/// <param name="WithoutKeptFilters">What does the same, to the bit and on the same operands, where the machine does not keep transformed filters; null where all machines run
/// <paramref name="Kernel"/>. The step that packs the filters has one, too.</param>
public sealed record Step(
    string Name, string Description, Kernel Kernel, ImmutableArray<Address> Operands, Origin Origin, long Floats, bool WithNext = false, int Turns = 0, bool Prepare = false, bool ByGroups = false,
    Kernel? WithoutKeptFilters = null)
{
    /// <summary>All that may run.</summary>
    public IEnumerable<Kernel> Kernels => WithoutKeptFilters is { } other ? [Kernel, other] : [Kernel];
}

/// <param name="Offset">Float offset in parameter storage, a multiple of 16.</param>
public sealed record ParameterSlot(Node Node, ParameterAttributes Attributes, int Offset);

/// <summary>One product of a network: inference, or training with its backward pass.</summary>
/// <param name="Prepare">Runs when weights have changed: packing, folding. Empty in training, where weights change every step.</param>
/// <param name="SampleFloats">Floats of one sample's slab, a multiple of 16.</param>
/// <param name="GroupFloats">Floats of the slab of sixteen samples.</param>
/// <param name="ScratchFloats">Floats of scratch memory for each thread.</param>
/// <param name="PreparationFloats">Floats that only the preparation needs.</param>
/// <param name="Choices">Layers that could be computed in other ways.</param>
public sealed record Plan(
    NetworkGraph Graph,
    bool Training,
    ImmutableArray<Step> Prepare,
    ImmutableArray<Step> Steps,
    ImmutableArray<ParameterSlot> Parameters,
    int StorageFloats,
    int TrainableFloats,
    int SampleFloats,
    int GroupFloats,
    int CommonFloats,
    int ScratchFloats,
    int PreparationFloats,
    ImmutableArray<string> InputGradients,
    IReadOnlyDictionary<Node, string> KernelOf,
    ImmutableArray<ChoicePoint> Choices);
