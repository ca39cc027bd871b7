// Dense layers over many rows and 1x1 convolutions, where Strassen's algorithm is faster.
using System.Collections.Immutable;
using ModelCompiler.Graph;
using ModelCompiler.Kernels;

namespace ModelCompiler.Planning;

public sealed partial class Planner
{
    /// <summary>Whether Strassen's algorithm applies, and is allowed. In training weights change in every step, and what it adds to them would cost what it saves.</summary>
    private bool MayStrassen(ConvolutionGeometry direct) => !training && fast && Strassen.IsPossible(direct);

    private void AddStrassen(
        Node node, ConvolutionGeometry geometry, StoredValue x, StoredValue y, StoredValue? bias, Expression? formula, List<StoredValue> extras, ImmutableArray<FusedOperand> operands)
    {
        var inputs = new StrassenInputsKernel(geometry);
        var u = new BufferDraft(inputs.Floats, node.Batched, "");
        Add(node, "strassen_inputs", inputs, x.Buffer, u);
        var kernel = new StrassenKernel(geometry, bias is not null, formula, operands);
        BufferDraft[] quarters = Strassen.ReadsQuarters(geometry) ? [x.Buffer] : [];
        Add(node, "strassen", kernel, [.. quarters, .. Buffers(u, Packed(node.Inputs[1], kernel.Packing, kernel.Packing.PackedSize), bias, extras, y), ThreadScratch(kernel.ScratchFloats)]);
    }
}
