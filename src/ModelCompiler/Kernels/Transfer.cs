// Exactly so many floats from one place to another: results into the user's buffers, whose samples lie without a
// gap, and new running statistics into the parameters.
using System.Collections.Immutable;
using System.Globalization;
using ModelCompiler.Emission;

namespace ModelCompiler.Kernels;

public sealed record TransferKernel(int Count, KernelScope WorkScope) : Kernel
{
    public override string Name => "Transfer_" + Count.ToString(CultureInfo.InvariantCulture);

    public override string Comment => "copies " + Count.ToString(CultureInfo.InvariantCulture) + " floats";

    public override KernelScope Scope => WorkScope;

    public override ImmutableArray<Operand> Operands { get; } = ImmutableArray.Create(new Operand("x"), new Operand("y"));

    public override int Units => 1;

    // Sample and Once scope are called alike, so one method serves both.
    public bool Equals(TransferKernel? other) => other is not null && Count == other.Count;

    public override int GetHashCode() => Count;

    public override void Emit(SourceWriter writer, Isa isa)
    {
        var count = Count.ToString(CultureInfo.InvariantCulture);
        writer.Open($"internal static void {Name}({Parameters})");
        writer.Line($"new ReadOnlySpan<float>(x, {count}).CopyTo(new Span<float>(y, {count}));").Close().Line();
    }
}
