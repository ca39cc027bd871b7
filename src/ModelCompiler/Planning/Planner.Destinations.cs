// Values that the outside reads: outputs, gradients, new running statistics. Where that is possible they are computed in their
// place; the rest is copied there.
using System.Collections.Immutable;
using ModelCompiler.Graph;
using ModelCompiler.Kernels;
using ModelCompiler.Operators;

namespace ModelCompiler.Planning;

public sealed partial class Planner
{
    /// <summary>Gradients are written where the optimizer reads them, and new running statistics in the place of the old ones, without a
    /// copy, also through a change of shape.</summary>
    private void ChooseDestinations(ImmutableArray<(Node Node, Address Address)> gradients)
    {
        foreach (var (node, address) in gradients)
        {
            Choose(node, address);
        }

        foreach (var (parameter, value) in graph.Updates)
        {
            if (IsReadOnlyFor(parameter, value))
            {
                Choose(value, new Address(Region.Parameters, slots[parameter].Offset));
            }
        }

        void Choose(Node target, Address address)
        {
            // A vector is the same memory in every layout, so whoever else reads it finds it there.
            while (target.Primitive == Primitives.Reshape && (IsVector(target.Inputs[0].Shape) || OnlyReader(target.Inputs[0]) is not null))
            {
                target = target.Inputs[0];
            }

            if (!destinations.ContainsKey(target) && target.Attributes is not (ParameterAttributes or InputAttributes))
            {
                destinations.Add(target, address);
            }
        }

        Node? OnlyReader(Node node) => Readers[node] is { Count: 1 } readers ? readers[0] : null;

        // Element by element, so that the last of the formulas may write over what the first one reads.
        bool IsReadOnlyFor(Node parameter, Node value)
        {
            var at = parameter;
            while (at != value && OnlyReader(at) is { } reader && (reader.Primitive == Primitives.Pointwise || reader.Primitive == Primitives.Reshape)
                && reader.Shape.Count == parameter.Shape.Count)
            {
                at = reader;
            }

            return at == value && at != parameter;
        }
    }

    /// <summary>Puts a value where the outside looks for it.</summary>
    private void Deliver(Node node, Address address)
    {
        var value = values[node];
        if (value.Buffer.Address == address)
        {
            return;
        }

        var flat = Get(node, LayoutKind.Flat);
        var target = new BufferDraft(flat.Layout.Size, node.Batched, "") { Address = address };
        Add(node, "deliver", new TransferKernel((int)node.Shape.Count, Scope(node)), flat.Buffer, target);
    }

    private StoredValue CopyTo(Node node, StoredValue from, Address address)
    {
        var buffer = new BufferDraft(from.Layout.Size, batched: false, "") { Address = address };
        Add(node, "copy", new TransferKernel((int)node.Shape.Count, Scope(node)), from.Buffer, buffer);
        return new StoredValue(buffer, new Layout(LayoutKind.Flat, node.Shape));
    }

    /// <summary>Inference reads the parameter set while it prepares and never afterwards: what a step reads as it is, it gets a copy of.</summary>
    private void KeepParameters()
    {
        if (training)
        {
            return;
        }

        var copies = slots.Values.ToDictionary(s => values[s.Node].Buffer, s => (Slot: s, Copy: new BufferDraft(values[s.Node].Buffer.Size, batched: false, "")));
        var read = new HashSet<BufferDraft>();
        for (var i = 0; i < steps.Count; i++)
        {
            if (!steps[i].Prepare && steps[i].Operands.Any(copies.ContainsKey))
            {
                read.UnionWith(steps[i].Operands.Where(copies.ContainsKey));
                steps[i] = steps[i] with { Operands = [.. steps[i].Operands.Select(o => copies.TryGetValue(o, out var kept) ? kept.Copy : o)] };
            }
        }

        foreach (var (slot, copy) in read.Select(buffer => copies[buffer]).OrderBy(kept => kept.Slot.Offset))
        {
            Add(slot.Node, "keep", new TransferKernel((int)slot.Node.Shape.Count, KernelScope.Once), values[slot.Node].Buffer, copy);
        }
    }
}
