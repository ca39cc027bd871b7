// The two ends of cross entropy: picking the target class's value, and spreading a value into its class.
using System.Collections.Immutable;
using ModelCompiler.Emission;
using ModelCompiler.Graph;

namespace ModelCompiler.Kernels;

/// <summary>Operands x (Flat, classes x positions), classes (int, positions), y (Flat, positions).
/// y[p] = x[classes[p], p]; 0 where the class is out of range.</summary>
/// <param name="Shape">Of x: classes first, then the positions, if any.</param>
public sealed record GatherClassKernel(Shape Shape) : Kernel
{
    public override string Name => $"GatherClass_{Shape}";

    public override string Comment => Name;

    public override ImmutableArray<Operand> Operands => [new("x"), new("classes", "int*"), new("y")];

    public override int Units => 1;

    public override void Emit(SourceWriter writer, Isa isa) => throw new NotImplementedException();
}

/// <summary>Operands x (Flat, positions), classes (int, positions), y (Flat, classes x positions).
/// y[classes[p], p] = x[p], all other elements 0; a class out of range leaves only zeros.</summary>
/// <param name="Shape">Of y: classes first, then the positions, if any.</param>
public sealed record ScatterClassKernel(Shape Shape) : Kernel
{
    public override string Name => $"ScatterClass_{Shape}";

    public override string Comment => Name;

    public override ImmutableArray<Operand> Operands => [new("x"), new("classes", "int*"), new("y")];

    public override int Units => 1;

    public override void Emit(SourceWriter writer, Isa isa) => throw new NotImplementedException();
}
