// The maximum over a sliding window, and where its gradient goes.
using System.Collections.Immutable;
using ModelCompiler.Emission;
using ModelCompiler.Graph;
using ModelCompiler.Planning;

namespace ModelCompiler.Kernels;

/// <summary>Operands x, y, both Blocked. Padding never wins: windows are clipped to the plane. NaN wins, as in PyTorch.</summary>
public sealed record MaxPoolKernel(Window Window, Layout Input, Layout Output) : Kernel
{
    private PoolGeometry Geometry => field ??= new(Window, Input, Output);

    private PoolOperand X => new("x", Input, true);

    public override string Layouts => $"{Input.Tag} -> {Output.Tag}";

    private PoolOperand Y => new("y", Output, false);

    public override string Name => field ??= KernelName.Of("MaxPool", Geometry.Structure);

    public override string Comment => $"y = maximum of x over windows of {Geometry.Comment}";

    public override ImmutableArray<Operand> Operands => [X.Operand(Geometry), Y.Operand(Geometry)];

    public override ImmutableArray<KernelNumber> Numbers => Geometry.Numbers(X, Y);

    public override int Units => Geometry.RowUnits;

    public override void Emit(KernelWriter writer, Isa isa)
    {
        var geometry = Geometry;
        var (x, y) = (X, Y);
        var parts = Enumerable.Range(0, isa.Parts).ToArray();
        new PoolEmitter(geometry, writer, [x, y]).EmitByRows((isWhole, visit) =>
        {
            var startsWithFirst = isWhole && geometry.IsUnrolled;
            foreach (var p in startsWithFirst ? [] : parts)
            {
                writer.Line($"var max{p} = {isa.Broadcast("float.NegativeInfinity")};");
            }

            visit(element =>
            {
                foreach (var p in parts)
                {
                    var value = isa.Load($"{x.At} + {element.Offset(x, p * isa.Width)}");
                    writer.Line(startsWithFirst && element.IsFirst ? $"var max{p} = {value};" : $"max{p} = {isa.Static}.Max(max{p}, {value});");
                }
            });
            foreach (var p in parts)
            {
                writer.Line(isa.Store($"{y.At} + {p * isa.Width}", $"max{p}"));
            }
        });
    }
}

/// <summary>Operands x, dy, dx, all Blocked. The first maximum of a window in scan order gets its gradient; when there is NaN,
/// the last NaN does, as in PyTorch.</summary>
public sealed record MaxPoolGradientKernel(Window Window, Layout Input, Layout OutputGradient, Layout InputGradient) : Kernel
{
    private PoolGeometry Geometry => field ??= new(Window, Input, OutputGradient, unrolled: 16);

    private PoolOperand X => new("x", Input, true);

    private PoolOperand Dy => new("dy", OutputGradient, false);

    private PoolOperand Dx => new("dx", InputGradient, true);

    public override string Name => field ??= KernelName.Of("MaxPoolGradient", Geometry.Structure);

    public override string Comment => $"dx = dy at the maxima of x over windows of {Geometry.Comment}";

    public override ImmutableArray<Operand> Operands => [X.Operand(Geometry), Dy.Operand(Geometry), Dx.Operand(Geometry)];

    public override ImmutableArray<KernelNumber> Numbers => Geometry.Numbers(X, Dy, Dx);

    /// <summary>Windows may share elements, so a block of channels has one owner.</summary>
    public override int Units => Input.Blocks;

    public override void Emit(KernelWriter writer, Isa isa)
    {
        var geometry = Geometry;
        var (x, dy, dx) = (X, Dy, Dx);
        var parts = Enumerable.Range(0, isa.Parts).ToArray();
        var integers = isa.Type.Replace("float", "int");
        var emitter = new PoolEmitter(geometry, writer, [x, dy, dx]);
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
                // The first element wins until another is larger, or NaN. Without a first one at hand, a winner of -1 loses to any.
                var startsWithFirst = isWhole && geometry.IsUnrolled;
                foreach (var p in startsWithFirst ? [] : parts)
                {
                    writer.Line($"var best{p} = {isa.Broadcast("float.NegativeInfinity")};").Line($"var winner{p} = {isa.Static}.Create(-1);");
                }

                visit(element =>
                {
                    if (startsWithFirst && element.IsFirst)
                    {
                        foreach (var p in parts)
                        {
                            writer.Line($"var best{p} = {isa.Load($"{x.At} + {element.Offset(x, p * isa.Width)}")};").Line($"var winner{p} = {integers}.Zero;");
                        }

                        return;
                    }

                    writer.Open("").Line($"var number = {isa.Static}.Create({element.Number});");
                    var orFirst = startsWithFirst ? "" : $" | {isa.Static}.LessThan(winner{{0}}, {integers}.Zero).AsSingle()";
                    foreach (var p in parts)
                    {
                        writer.Line($"var v{p} = {isa.Load($"{x.At} + {element.Offset(x, p * isa.Width)}")};")
                            .Line($"var wins{p} = {isa.Static}.GreaterThan(v{p}, best{p}) | ~{isa.Static}.Equals(v{p}, v{p}){orFirst.Replace("{0}", $"{p}")};")
                            .Line($"best{p} = {isa.Static}.ConditionalSelect(wins{p}, v{p}, best{p});")
                            .Line($"winner{p} = {isa.Static}.ConditionalSelect(wins{p}.AsInt32(), number, winner{p});");
                    }

                    writer.Close();
                });
                foreach (var p in parts)
                {
                    writer.Line($"var g{p} = {isa.Load($"{dy.At} + {p * isa.Width}")};");
                }

                visit(element =>
                {
                    writer.Open("").Line($"var number = {isa.Static}.Create({element.Number});");
                    foreach (var p in parts)
                    {
                        var address = $"{dx.At} + {element.Offset(dx, p * isa.Width)}";
                        var share = $"{isa.Static}.Equals(winner{p}, number).AsSingle() & g{p}";
                        writer.Line(isa.Store(address, geometry.IsDisjoint ? share : $"{isa.Load(address)} + ({share})"));
                    }

                    writer.Close();
                });
            });
    }
}
