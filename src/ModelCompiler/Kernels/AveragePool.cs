// The mean over a sliding window, and its gradient.
using System.Collections.Immutable;
using ModelCompiler.Emission;
using ModelCompiler.Graph;
using ModelCompiler.Planning;

namespace ModelCompiler.Kernels;

/// <summary>Operands x, y, both Blocked.</summary>
/// <param name="CountPadding">Divide by the window's size, or else by its elements inside the plane.</param>
public sealed record AveragePoolKernel(Window Window, bool CountPadding, Layout Input, Layout Output) : Kernel
{
    private PoolGeometry Geometry => field ??= new(Window, Input, Output);

    private PoolOperand X => new("x", Input, true);

    public override string Layouts => $"{Input.Tag} -> {Output.Tag}";

    private PoolOperand Y => new("y", Output, false);

    public override string Name => field ??= KernelName.Of("AveragePool", Geometry.Structure, $"{CountPadding}");

    public override string Comment => $"y = mean of x over windows of {Geometry.Comment}{(CountPadding ? ", padding counted" : "")}";

    public override ImmutableArray<Operand> Operands => [X.Operand(Geometry), Y.Operand(Geometry)];

    public override ImmutableArray<KernelNumber> Numbers => Geometry.Numbers(X, Y);

    public override int Units => Geometry.RowUnits;

    public override void Emit(KernelWriter writer, Isa isa)
    {
        var (x, y) = (X, Y);
        var parts = Enumerable.Range(0, isa.Parts).ToArray();
        new PoolEmitter(Geometry, writer, [x, y]).EmitByRows((isWhole, visit) =>
        {
            foreach (var p in parts)
            {
                writer.Line($"var sum{p} = {isa.Type}.Zero;");
            }

            visit(element =>
            {
                foreach (var p in parts)
                {
                    writer.Line($"sum{p} += {isa.Load($"{x.At} + {element.Offset(x, p * isa.Width)}")};");
                }
            });
            writer.Line($"var share = {isa.Broadcast(Share(Geometry, isWhole || CountPadding))};");
            foreach (var p in parts)
            {
                writer.Line(isa.Store($"{y.At} + {p * isa.Width}", $"sum{p} * share"));
            }
        });
    }

    /// <summary>One element's weight in the mean.</summary>
    internal static string Share(PoolGeometry geometry, bool isWhole) => isWhole
        ? $"1f / {geometry.Count}"
        : $"1f / Math.Max(1, {string.Join(" * ", geometry.Axes.Select(a => $"(last{a.Name} - first{a.Name})"))})";
}

/// <summary>Operands dy, dx, both Blocked.</summary>
public sealed record AveragePoolGradientKernel(Window Window, bool CountPadding, Layout OutputGradient, Layout InputGradient) : Kernel
{
    private PoolGeometry Geometry => field ??= new(Window, InputGradient, OutputGradient);

    private PoolOperand Dy => new("dy", OutputGradient, false);

    private PoolOperand Dx => new("dx", InputGradient, true);

    public override string Name => field ??= KernelName.Of("AveragePoolGradient", Geometry.Structure, $"{CountPadding}");

    public override string Comment => $"dx = dy spread over windows of {Geometry.Comment}{(CountPadding ? ", padding counted" : "")}";

    public override ImmutableArray<Operand> Operands => [Dy.Operand(Geometry), Dx.Operand(Geometry)];

    public override ImmutableArray<KernelNumber> Numbers => Geometry.Numbers(Dy, Dx);

    /// <summary>Windows may share elements, so a block of channels has one owner.</summary>
    public override int Units => InputGradient.Blocks;

    public override void Emit(KernelWriter writer, Isa isa)
    {
        var geometry = Geometry;
        var (dy, dx) = (Dy, Dx);
        var parts = Enumerable.Range(0, isa.Parts).ToArray();
        var emitter = new PoolEmitter(geometry, writer, [dy, dx]);
        emitter.EmitByBlocks(
            () =>
            {
                if (!geometry.IsTiling)
                {
                    emitter.EmitClear(dx, isa);
                }
            },
            (isWhole, visit) =>
            {
                writer.Line($"var share = {isa.Broadcast(AveragePoolKernel.Share(geometry, isWhole || CountPadding))};");
                foreach (var p in parts)
                {
                    writer.Line($"var g{p} = {isa.Load($"{dy.At} + {p * isa.Width}")} * share;");
                }

                visit(element =>
                {
                    foreach (var p in parts)
                    {
                        var address = $"{dx.At} + {element.Offset(dx, p * isa.Width)}";
                        writer.Line(isa.Store(address, geometry.IsDisjoint ? $"g{p}" : $"{isa.Load(address)} + g{p}"));
                    }
                });
            });
    }
}
