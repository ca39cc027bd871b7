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
    public override string Name => KernelName.Of("AveragePool", $"{Input.Tag}_{Output.Tag}", WindowText.Of(Window), $"{CountPadding}");

    public override string Comment =>
        $"y[{Output.Tag}] = mean of x[{Input.Tag}] over windows of {WindowText.Of(Window)}{(CountPadding ? ", padding counted" : "")}";

    public override string Layouts => $"{Input.Tag} -> {Output.Tag}";

    public override ImmutableArray<Operand> Operands => [new("x"), new("y")];

    public override int Units
    {
        get
        {
            var geometry = new PoolGeometry(Window, Input, Output);
            return (geometry.Rows + geometry.RowsPerUnit - 1) / geometry.RowsPerUnit;
        }
    }

    public override void Emit(SourceWriter writer, Isa isa)
    {
        var geometry = new PoolGeometry(Window, Input, Output);
        var (x, y) = (new PoolOperand("x", Input, true), new PoolOperand("y", Output, false));
        var parts = Enumerable.Range(0, isa.Parts).ToArray();
        new PoolEmitter(this, geometry, writer, [x, y]).EmitByRows((isWhole, visit) =>
        {
            foreach (var p in parts)
            {
                writer.Line($"var sum{p} = {isa.Type}.Zero;");
            }

            visit(element =>
            {
                foreach (var p in parts)
                {
                    writer.Line($"sum{p} += {isa.Load($"{x.At} + {element.Offset(Input, p * isa.Width)}")};");
                }
            });
            writer.Line($"var share = {isa.Broadcast(Share(geometry, isWhole || CountPadding))};");
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
    public override string Name =>
        KernelName.Of("AveragePoolGradient", $"{OutputGradient.Tag}_{InputGradient.Tag}", WindowText.Of(Window), $"{CountPadding}");

    public override string Comment =>
        $"dx[{InputGradient.Tag}] = dy[{OutputGradient.Tag}] spread over windows of {WindowText.Of(Window)}{(CountPadding ? ", padding counted" : "")}";

    public override ImmutableArray<Operand> Operands => [new("dy"), new("dx")];

    /// <summary>Windows may share elements, so a block of channels has one owner.</summary>
    public override int Units => InputGradient.Blocks;

    public override void Emit(SourceWriter writer, Isa isa)
    {
        var geometry = new PoolGeometry(Window, InputGradient, OutputGradient);
        var (dy, dx) = (new PoolOperand("dy", OutputGradient, false), new PoolOperand("dx", InputGradient, true));
        var parts = Enumerable.Range(0, isa.Parts).ToArray();
        var emitter = new PoolEmitter(this, geometry, writer, [dy, dx]);
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
                        var address = $"{dx.At} + {element.Offset(InputGradient, p * isa.Width)}";
                        writer.Line(isa.Store(address, geometry.IsDisjoint ? $"g{p}" : $"{isa.Load(address)} + g{p}"));
                    }
                });
            });
    }
}
