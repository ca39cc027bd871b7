// The maximum over a sliding window, which element it is, and where its gradient goes.
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

/// <summary>Operands x, y, winners, all Blocked: the same, and which element of each window it is, counted in scan order with those outside of the plane. The
/// first of equal ones wins; when there is NaN the last NaN does, as in PyTorch.</summary>
public sealed record MaxPoolWinnersKernel(Window Window, Layout Input, Layout Output, Layout Winners) : Kernel
{
    private PoolGeometry Geometry => field ??= new(Window, Input, Output, unrolled: 16);

    private PoolOperand X => new("x", Input, true);

    private PoolOperand Y => new("y", Output, false);

    private PoolOperand W => new("winners", Winners, false);

    public override string Layouts => $"{Input.Tag} -> {Output.Tag}";

    public override string Name => field ??= KernelName.Of("MaxPoolWinners", Geometry.Structure);

    public override string Comment => $"y = maximum of x over windows of {Geometry.Comment}, and which element of the window it is";

    public override ImmutableArray<Operand> Operands => [X.Operand(Geometry), Y.Operand(Geometry), W.Operand(Geometry)];

    public override int ReadOperands => 1;

    public override ImmutableArray<KernelNumber> Numbers => Geometry.Numbers(X, Y, W);

    public override int Units => Geometry.RowUnits;

    public override string Choice => "MaxPool";

    public override void Emit(KernelWriter writer, Isa isa)
    {
        var geometry = Geometry;
        var parts = Enumerable.Range(0, isa.Parts).ToArray();
        var emitter = new PoolEmitter(geometry, writer, [X, Y, W], keepsEdge: geometry.IsUnrolled);
        emitter.EmitByRows((isWhole, visit) =>
        {
            if (isWhole && geometry.IsUnrolled)
            {
                EmitOfNumbers(writer, isa, visit);
                emitter.EmitEdgeCall();
                return;
            }

            EmitSearch(writer, isa, X, visit, element => element.Number);
            foreach (var p in parts)
            {
                writer.Line(isa.Store($"{Y.At} + {p * isa.Width}", $"best{p}")).Line(isa.Store($"{W.At} + {p * isa.Width}", $"winner{p}"));
            }
        });
    }

    /// <summary>Declares for each part of a window's vectors <c>best</c>, the maximum, and <c>winner</c>, the number of its element. An element wins that is larger than all
    /// before it, or NaN; a winner of -1 loses to any.</summary>
    /// <param name="number">Of an element, as text.</param>
    internal static void EmitSearch(KernelWriter writer, Isa isa, PoolOperand x, Action<Action<PoolElement>> visit, Func<PoolElement, string> number)
    {
        var parts = Enumerable.Range(0, isa.Parts).ToArray();
        foreach (var p in parts)
        {
            writer.Line($"var best{p} = {isa.Broadcast("float.NegativeInfinity")};").Line($"var winner{p} = {isa.Broadcast("-1f")};");
        }

        visit(element =>
        {
            writer.Open("").Line($"var number = {isa.Broadcast($"(float)({number(element)})")};");
            foreach (var p in parts)
            {
                writer.Line($"var v{p} = {isa.Load($"{x.At} + {element.Offset(x, p * isa.Width)}")};")
                    .Line($"var wins{p} = {isa.Static}.GreaterThan(v{p}, best{p}) | ~{isa.Static}.Equals(v{p}, v{p}) | {isa.Static}.LessThan(winner{p}, {isa.Type}.Zero);")
                    .Line($"best{p} = {isa.Static}.ConditionalSelect(wins{p}, v{p}, best{p});")
                    .Line($"winner{p} = {isa.Static}.ConditionalSelect(wins{p}, number, winner{p});");
            }

            writer.Close();
        });
    }

    /// <summary>Where all elements are numbers the maximum takes an instruction for each, and the winner is the first that equals it. The sum of a window is NaN
    /// if an element is; if infinities make it so, the general way behind this is as right.</summary>
    private void EmitOfNumbers(KernelWriter writer, Isa isa, Action<Action<PoolElement>> visit)
    {
        var parts = Enumerable.Range(0, isa.Parts).ToArray();
        var elements = new List<PoolElement>();
        visit(elements.Add);
        string Number(PoolElement element, int part) => $"n{element.Number}_{Literals.Int(part)}";
        foreach (var (element, p) in from e in elements from p in parts select (e, p))
        {
            writer.Line($"var {Number(element, p)} = {isa.Load($"{X.At} + {element.Offset(X, p * isa.Width)}")};");
        }

        writer.Line($"var sum = {string.Join(" + ", from e in elements from p in parts select Number(e, p))};");
        writer.Open($"if ({isa.Static}.EqualsAll(sum, sum))");
        foreach (var p in parts)
        {
            writer.Line($"var max{p} = {elements.Skip(1).Aggregate(Number(elements[0], p), (max, e) => $"{isa.Static}.MaxNative({max}, {Number(e, p)})")};")
                .Line($"var first{p} = {isa.Broadcast(elements[elements.Count - 1].Number + "f")};");
            foreach (var element in elements.AsEnumerable().Reverse().Skip(1))
            {
                writer.Line($"first{p} = {isa.Static}.ConditionalSelect({isa.Static}.Equals({Number(element, p)}, max{p}), {isa.Broadcast(element.Number + "f")}, first{p});");
            }

            writer.Line(isa.Store($"{Y.At} + {p * isa.Width}", $"max{p}")).Line(isa.Store($"{W.At} + {p * isa.Width}", $"first{p}"));
        }

        writer.Line("continue;").Close();
    }
}

/// <summary>Operands winners, dy, dx, all Blocked: the gradient of each window goes to its winner.</summary>
public sealed record MaxPoolGradientKernel(Window Window, Layout Winners, Layout OutputGradient, Layout InputGradient) : Kernel
{
    private PoolGeometry Geometry => field ??= new(Window, InputGradient, OutputGradient, unrolled: 16);

    private PoolOperand W => new("winners", Winners, false);

    private PoolOperand Dy => new("dy", OutputGradient, false);

    private PoolOperand Dx => new("dx", InputGradient, true);

    public override string Name => field ??= KernelName.Of("MaxPoolGradient", Geometry.Structure);

    public override string Comment => $"dx = dy at the winners of windows of {Geometry.Comment}";

    public override ImmutableArray<Operand> Operands => [W.Operand(Geometry), Dy.Operand(Geometry), Dx.Operand(Geometry)];

    public override ImmutableArray<KernelNumber> Numbers => Geometry.Numbers(W, Dy, Dx);

    /// <summary>Windows may share elements, so a block of channels has one owner.</summary>
    public override int Units => InputGradient.Blocks;

    public override void Emit(KernelWriter writer, Isa isa)
    {
        var geometry = Geometry;
        var parts = Enumerable.Range(0, isa.Parts).ToArray();
        var emitter = new PoolEmitter(geometry, writer, [W, Dy, Dx]);
        emitter.EmitByBlocks(
            () =>
            {
                if (!geometry.IsTiling)
                {
                    emitter.EmitClear(Dx, isa);
                }
            },
            (_, visit) =>
            {
                foreach (var p in parts)
                {
                    writer.Line($"var winner{p} = {isa.Load($"{W.At} + {p * isa.Width}")};").Line($"var g{p} = {isa.Load($"{Dy.At} + {p * isa.Width}")};");
                }

                visit(element =>
                {
                    writer.Open("").Line($"var number = {isa.Broadcast($"(float)({element.Number})")};");
                    foreach (var p in parts)
                    {
                        var address = $"{Dx.At} + {element.Offset(Dx, p * isa.Width)}";
                        var share = $"{isa.Static}.ConditionalSelect({isa.Static}.Equals(winner{p}, number), g{p}, {isa.Type}.Zero)";
                        writer.Line(isa.Store(address, geometry.IsDisjoint ? share : $"{isa.Load(address)} + {share}"));
                    }

                    writer.Close();
                });
            });
    }
}
