// Graph to plan: decides what is stored and in which layout, turns every stored node into steps, and gives
// memory its offsets. One product (inference or training) at a time.
using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using ModelCompiler.Gradient;
using ModelCompiler.Graph;
using ModelCompiler.Kernels;
using ModelCompiler.Operators;

namespace ModelCompiler.Planning;

public sealed partial class Planner
{
    private readonly NetworkGraph graph;
    private readonly bool training;
    private readonly bool fast;
    private readonly HaloNeeds halos;
    private readonly HaloNeeds interleavedHalos;
    private readonly ConcatPlaces? concats;
    private readonly Dictionary<Node, StoredValue> wholes = new();
    private readonly List<StepDraft> steps = new();
    private readonly HashSet<string> names = new(StringComparer.Ordinal);
    private readonly NodeMap<StoredValue> values = new();
    private NodeMap<List<Node>>? nodeReaders;
    private readonly Dictionary<(Node, LayoutKind), StoredValue> variants = new();
    private readonly Dictionary<(Node, string), BufferDraft> packed = new();
    private readonly Dictionary<Node, Address> destinations = new();
    private readonly Dictionary<Node, ParameterSlot> slots;
    private readonly HashSet<Node> again = new();
    private ImmutableArray<Node> stored = [];
    private readonly BufferDraft scratch = new(0, batched: false, "");
    private readonly BufferDraft threadScratch = new(0, batched: false, "") { Address = new Address(Region.Scratch, 0) };

    private Planner(NetworkGraph graph, bool training, bool fast, TuningOfPlan? tuning, ImmutableArray<ParameterSlot> slots)
    {
        this.tuning = tuning;
        this.graph = graph;
        this.training = training;
        this.fast = fast;
        this.slots = slots.ToDictionary(s => s.Node);
        halos = new HaloNeeds(graph.Nodes);
        interleavedHalos = training ? new HaloNeeds(graph.Nodes, ofInputGradients: false) : halos;
        concats = training ? null : new ConcatPlaces(graph.Nodes, halos);
    }

    /// <summary>Who reads a node.</summary>
    private NodeMap<List<Node>> Readers => nodeReaders ??= NodeReaders.Of(graph.Nodes);

    /// <summary>The inference product of a network as evaluated.</summary>
    /// <param name="fast">Whether layers may be computed by Winograd's and Strassen's algorithms, which are faster and round more.</param>
    /// <param name="tuning">Measured choices, which go before the planner's estimates.</param>
    public static Plan ForInference(NetworkGraph network, bool fast = true, TuningOfPlan? tuning = null)
    {
        var graph = BatchNormFolding.Run(Lowering.ForInference(network));
        var slots = ParameterStorage.Slots(network, graph);
        var planner = new Planner(graph, training: false, fast, tuning, slots);
        return planner.Build(ImmutableArray<(Node, Address)>.Empty, ImmutableArray<(string, Node)>.Empty, slots, ParameterStorage.Sizes(network));
    }

    /// <summary>The training product: forward, loss, backward, new running statistics.</summary>
    /// <param name="fast">As for inference.</param>
    /// <param name="tuning">As for inference.</param>
    public static Plan ForTraining(NetworkGraph network, bool inputGradients, bool fast = true, TuningOfPlan? tuning = null)
    {
        var training = Differentiation.Differentiate(PoolBeforeRelu.Run(network), inputGradients, new CheapRecomputation(Fusion.IsCheap, WorksOnASample, IsCheapConvolution));
        var slots = ParameterStorage.Slots(network, training.Graph);
        var offsets = slots.ToDictionary(s => s.Node, s => s.Offset);
        var gradients = training.Gradients.Select(g => (g.Gradient, new Address(Region.Gradients, offsets[g.Parameter]))).ToImmutableArray();
        var planner = new Planner(training.Graph, training: true, fast, tuning, slots) { stored = training.Stored };
        foreach (var (original, second) in training.Recomputed)
        {
            planner.halos.Unite(original, second);
            planner.interleavedHalos.Unite(original, second);
            planner.again.Add(second);
        }

        return planner.Build(gradients, training.InputGradients, slots, ParameterStorage.Sizes(network));
    }

    /// <summary>Whether a node's step runs for each sample alone, so that a value made just for it need not be kept for the batch.</summary>
    private static bool WorksOnASample(Node node)
    {
        if (node.Primitive == Primitives.Convolution)
        {
            var (window, groups) = node.As<ConvolutionAttributes>();
            return window.KernelCount == 1 || groups == node.Inputs[0].Shape[0];
        }

        if (node.Primitive == Primitives.ConvolutionWeightGradient)
        {
            var (window, groups, _) = node.As<ConvolutionWeightGradientAttributes>();
            return IsDepthwise(groups, node.Inputs[0], node.Inputs[1]) || (window.KernelCount == 1 && HasSmallWeights(node));
        }

        return node.Primitive == Primitives.Pointwise || (node.Primitive == Primitives.Reduce && IsSumOfSamples(node));
    }

    /// <summary>Inputs for each of which a multiply-add takes less time, all of them together, than a result takes that is written to memory and read from it.</summary>
    private const int MostInputsToRepeat = 32;

    /// <summary>Floats of a result from which on it pays: smaller ones are fetched from the third-level cache in the time that making them again takes.</summary>
    private const int LeastToRepeat = 1 << 20;

    /// <summary>Whether a convolution makes so much of so little that it is rather computed again than kept: its input is, for its weight gradient.</summary>
    private static bool IsCheapConvolution(Node node)
    {
        var (window, groups) = node.As<ConvolutionAttributes>();
        var x = node.Inputs[0];
        return window.KernelCount == 1 && groups == 1 && window.Stride.All(s => s == 1) && x.Batched && x.Shape[0] <= MostInputsToRepeat
            && node.Shape.Count >= Math.Max(LeastToRepeat, 2 * x.Shape.Count);
    }

    /// <summary>Whether a weight gradient of every sample takes less room than what it is made of.</summary>
    private static bool HasSmallWeights(Node weightGradient) =>
        2 * weightGradient.Shape.Count <= weightGradient.Inputs[0].Shape.Count + weightGradient.Inputs[1].Shape.Count;

    private Plan Build(
        ImmutableArray<(Node Node, Address Address)> gradients, ImmutableArray<(string Input, Node Gradient)> inputGradients,
        ImmutableArray<ParameterSlot> parameters, (int Storage, int Trainable) sizes)
    {
        var results = new List<(Node Node, Address Address)>(gradients);
        for (var i = 0; i < graph.Outputs.Length; i++)
        {
            results.Add((graph.Outputs[i].Node, new Address(Region.Output, 0, i)));
        }

        for (var i = 0; i < inputGradients.Length; i++)
        {
            results.Add((inputGradients[i].Gradient, new Address(Region.InputGradient, 0, i)));
        }

        if (training && graph.Loss is not null)
        {
            results.Add((graph.Loss, new Address(Region.Loss, 0)));
        }

        results.AddRange(graph.Updates.Select(u => (u.Value, new Address(Region.Parameters, slots[u.Parameter].Offset))));
        ChooseDestinations(gradients);
        BindInputs();
        var fused = Fusion.Run(graph.Nodes, results.Select(r => r.Node).Concat(stored).ToList());
        readers = fused.SelectMany(f => f.Operands.Select(o => (o, f))).ToLookup(p => p.o, p => p.f);
        var kernels = new Dictionary<Node, string>();
        var joined = PairReductions(fused);
        foreach (var node in fused.Where(f => !joined.Contains(f)))
        {
            var before = steps.Count;
            Plan(node);
            var own = steps.GetRange(before, steps.Count - before);
            var main = own.FindLast(s => s.Kernel is not (CopyKernel or PackWeightsKernel or PackWinogradKernel or PackStrassenKernel or TransferKernel)) ?? own.LastOrDefault();
            if (main is null && node.Anchor.Primitive == Primitives.Concat)
            {
                kernels[node.Output] = "in place";
            }
            else if (main is null && node.Anchor is { Attributes: MaxPoolAttributes, Inputs: { Length: 2 } inputs })
            {
                kernels[node.Output] = kernels[inputs[1]];
            }
            else if (main is not null)
            {
                kernels[node.Anchor] = main.Kernel.Choice + (main.Kernel.Fusion.Length == 0 ? "" : " + " + main.Kernel.Fusion);
                kernels[node.Output] = kernels[node.Anchor];
            }
        }

        foreach (var (node, address) in results)
        {
            Deliver(node, address);
        }

        KeepParameters();

        // Buffers are measured over all steps in the order in which they run.
        var ordered = training ? StepOrder.Gather(steps) : steps.Where(s => s.Prepare).Concat(steps.Where(s => !s.Prepare)).ToList();
        var together = training ? StepOrder.Together(ordered) : new bool[ordered.Count];
        StepTurns.Arrange(ordered, together);
        var memory = MemoryPlan.Assign(ordered, together, threadScratch.Size);
        ImmutableArray<Step> Finish(bool prepare) => [.. ordered.Select((s, i) => (s, i)).Where(p => p.s.Prepare == prepare).Select(p => Finished(p.s, together[p.i], memory.Turns[p.i]))];
        return new Plan(
            graph, training, Finish(true), Finish(false), parameters, sizes.Storage, sizes.Trainable, memory.Sample, memory.Group, memory.Common, memory.Scratch, memory.Preparation,
            inputGradients.Select(i => i.Input).ToImmutableArray(), kernels, [.. choices]);
    }

    private static Step Finished(StepDraft s, bool together, int turns) => new(
        s.Name, s.Description, s.Kernel, [.. s.Operands.Select(o => o.Address!.Value)], s.Origin, s.Kernel.Traffic(s.Operands.Select(s.SizeOf)), together, turns, s.Prepare, s.ByGroups, s.WithoutKeptFilters);

    private void BindInputs()
    {
        void Bind(ImmutableArray<NamedNode> named, Region region)
        {
            for (var i = 0; i < named.Length; i++)
            {
                var node = named[i].Node;
                values[node] = Fixed(node, new Address(region, 0, i), batched: true);
            }
        }

        Bind(graph.Inputs, Region.Input);
        Bind(graph.Targets, Region.Target);
        foreach (var slot in slots.Values)
        {
            values[slot.Node] = Fixed(slot.Node, new Address(Region.Parameters, slot.Offset), batched: false);
        }
    }

    private static StoredValue Fixed(Node node, Address address, bool batched)
    {
        var layout = new Layout(LayoutKind.Flat, node.Shape);
        return new StoredValue(new BufferDraft(layout.Size, batched, "") { Address = address }, layout);
    }

    /// <summary>Memory for a node's value in the layout it is produced in.</summary>
    private StoredValue Store(Node node, LayoutKind kind)
    {
        var halo = kind == LayoutKind.Flat || !node.Batched ? Halo.None : halos.Of(node);
        if (destinations.TryGetValue(node, out var address) && (kind == LayoutKind.Flat || IsVector(node.Shape)))
        {
            var fixedLayout = new Layout(LayoutKind.Flat, node.Shape);
            return values[node] = new StoredValue(new BufferDraft(fixedLayout.Size, batched: false, "") { Address = address }, fixedLayout);
        }

        return values[node] = kind == LayoutKind.Blocked && concats is not null ? Place(node, concats) : Draft(node, new Layout(kind, node.Shape, halo));
    }

    private static StoredValue Draft(Node node, Layout layout) => new(new BufferDraft(layout.Size, node.Batched, layout.Halo.IsNone ? "" : layout.Tag), layout);

    /// <summary>Memory in blocks: a part of a concatenation's, where the value is one.</summary>
    private StoredValue Place(Node node, ConcatPlaces concats)
    {
        if (wholes.TryGetValue(node, out var known))
        {
            return known;
        }

        var stored = Draft(node, new Layout(LayoutKind.Blocked, node.Shape, node.Batched ? halos.Of(node) : Halo.None));
        if (concats.Of(node) is { } place)
        {
            stored.Buffer.Inside = (Place(place.Whole, concats).Buffer, checked(place.Channel / Layout.Lanes * stored.Layout.BlockStride));
        }

        if (concats.HasParts(node))
        {
            wholes.Add(node, stored);
        }

        return stored;
    }

    /// <summary>A node's value in the wanted layout, converted once where it is produced in another.</summary>
    private StoredValue Get(Node node, LayoutKind kind)
    {
        var value = values[node];
        if (kind == LayoutKind.Interleaved || value.Layout.Kind == LayoutKind.Interleaved)
        {
            return GetInterleaved(node, kind);
        }

        return Get(node, value, kind);
    }

    private StoredValue Get(Node node, StoredValue value, LayoutKind kind)
    {
        var halo = kind == LayoutKind.Flat ? Halo.None : halos.Of(node);
        var have = value.Layout;
        var sameKind = have.Kind == kind || (IsVector(node.Shape) && have.Halo.IsNone && halo.IsNone)
            || (kind is LayoutKind.Planar or LayoutKind.Flat && have.Kind is LayoutKind.Flat or LayoutKind.Planar && have.Halo.IsNone && halo.IsNone && node.Shape.Rank is > 1 and < 5);
        if (sameKind && have.Halo.Union(halo) == have.Halo)
        {
            return have.Kind == kind ? value : value with { Layout = new Layout(kind, node.Shape) };
        }

        if (!variants.TryGetValue((node, kind), out var variant))
        {
            var layout = new Layout(kind, node.Shape, halo);
            variant = new StoredValue(new BufferDraft(layout.Size, node.Batched, halo.IsNone ? "" : layout.Tag), layout);
            variants.Add((node, kind), variant);
            Add(node, "to_" + (kind == LayoutKind.Flat ? "flat" : kind == LayoutKind.Planar ? "planar" : "blocks"),
                CopyKernel.Convert(have, layout, Scope(node)), value.Buffer, variant.Buffer);
        }

        return variant;
    }

    private static KernelScope Scope(Node node) => node.Batched ? KernelScope.Sample : KernelScope.Once;

    /// <summary>One number per channel and nothing else: Flat and Blocked are the same memory.</summary>
    private static bool IsVector(Shape shape) => shape.Rank == 0 || shape.Count == shape[0];

    private void Add(Node node, string suffix, Kernel kernel, params BufferDraft[] operands) => Add(node, suffix, kernel, null, operands);

    /// <param name="withoutKeptFilters">As in <see cref="Step"/>.</param>
    private void Add(Node node, string suffix, Kernel kernel, Kernel? withoutKeptFilters, params BufferDraft[] operands)
    {
        var path = node.Origin.Path.Length > 0 ? node.Origin.Path : node.Primitive.Name;
        var name = Unique(Identifier(path + "_" + suffix));

        // In inference whatever touches no sample depends on weights alone.
        var prepare = !training && kernel.Scope == KernelScope.Once && operands.All(o => !o.Batched);
        steps.Add(new StepDraft(name, Describe(node), kernel, operands.ToImmutableArray(), node.Origin, prepare, again.Contains(node), withoutKeptFilters));
    }

    private static string Describe(Node node) =>
        (node.Origin.Path.Length > 0 ? node.Origin.Path + ": " : "") + string.Join(", ", node.Inputs.Select(i => i.Shape)) + (node.Inputs.IsEmpty ? "" : " -> ") + node.Shape;

    private string Unique(string name)
    {
        var unique = name;
        for (var i = 2; !names.Add(unique); i++)
        {
            unique = name + "_" + i.ToString(CultureInfo.InvariantCulture);
        }

        return unique;
    }

    private static string Identifier(string path)
    {
        var text = new StringBuilder();
        foreach (var c in path)
        {
            text.Append(c is (>= 'a' and <= 'z') or (>= 'A' and <= 'Z') or (>= '0' and <= '9') ? c : '_');
        }

        return text.Length > 0 && text[0] is >= '0' and <= '9' ? "_" + text : text.ToString();
    }
}
