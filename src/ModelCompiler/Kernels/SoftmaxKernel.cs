// Softmax and its logarithm along one axis, shifted by the maximum so that no exponential overflows.
using System.Collections.Immutable;
using ModelCompiler.Emission;
using ModelCompiler.Graph;

namespace ModelCompiler.Kernels;

/// <summary>Operands x, y, both Flat; may work in place.</summary>
public sealed record SoftmaxKernel(Shape Shape, int Axis, bool Logarithm, KernelScope WorkScope = KernelScope.Sample) : Kernel
{
    /// <summary>Columns in a unit of work when the axis is not the last.</summary>
    private const int Chunk = 256;

    private const int UnitElements = 2048;

    public override string Name => $"{(Logarithm ? "LogSoftmax" : "Softmax")}_{Shape}_{Axis}{(WorkScope == KernelScope.Once ? "_once" : "")}";

    public override string Comment => $"y[{Shape}] = {(Logarithm ? "logarithm of the softmax" : "softmax")} of x[{Shape}] along axis {Axis}";

    public override KernelScope Scope => WorkScope;

    public override ImmutableArray<Operand> Operands => [new("x"), new("y")];

    private int Outer => Product(Shape.Dimensions.Take(Axis));

    private int Size => Shape[Axis];

    private int Inner => Product(Shape.Dimensions.Skip(Axis + 1));

    private int Chunks => (Inner + Chunk - 1) / Chunk;

    /// <summary>Rows, or chunks of columns, that one unit does.</summary>
    private int TasksPerUnit => Math.Max(1, UnitElements / (Size * Math.Min(Inner, Chunk)));

    private int Tasks => Inner == 1 ? Outer : Outer * Chunks;

    public override int Units => (Tasks + TasksPerUnit - 1) / TasksPerUnit;

    public override void Emit(SourceWriter writer, Isa isa)
    {
        writer.OpenMethod(this);
        writer.Open($"for (var task = begin * {TasksPerUnit}; task < Math.Min(end * {TasksPerUnit}, {Tasks}); task++)");
        if (Inner == 1)
        {
            EmitRow(writer, isa);
        }
        else
        {
            EmitColumns(writer, isa);
        }

        writer.Close().Close();
    }

    private void EmitRow(SourceWriter writer, Isa isa)
    {
        writer.Line($"var from = x + task * {Size};").Line($"var to = y + task * {Size};");
        var pieces = RunPiece.Cover(isa, Size).ToList();
        writer.Line("var max = float.NegativeInfinity;");
        foreach (var piece in pieces)
        {
            if (piece.IsPartial)
            {
                Each(piece, i => writer.Line($"max = MathF.Max(max, from[{i}]);"));
            }
            else
            {
                writer.Open("").Line($"var largest = {piece.Isa.Load($"from + {piece.Start}")};");
                Loop(piece, piece.Start + piece.Isa.Width, i => writer.Line($"largest = {piece.Isa.Static}.Max(largest, {piece.Isa.Load($"from + {i}")});"));
                writer.Line("max = MathF.Max(max, VectorMath.MaxAcross(largest));").Close();
            }
        }

        writer.Line("var sum = 0f;");
        foreach (var piece in pieces)
        {
            writer.Open("").Line($"var shift = {piece.Isa.Broadcast("max")};");
            if (piece.IsPartial)
            {
                writer.Line($"var e = VectorMath.Exp({piece.Load($"from + {piece.Start}")} - shift);");
                Each(piece, i => writer.Line($"sum += e[{i - piece.Start}];{(Logarithm ? "" : $" to[{i}] = e[{i - piece.Start}];")}"));
            }
            else
            {
                writer.Line($"var sums = {piece.Isa.Type}.Zero;");
                Loop(piece, piece.Start, i =>
                {
                    writer.Line($"var e = VectorMath.Exp({piece.Isa.Load($"from + {i}")} - shift);").Line("sums += e;");
                    if (!Logarithm)
                    {
                        writer.Line(piece.Isa.Store($"to + {i}", "e"));
                    }
                });
                writer.Line($"sum += {piece.Isa.Static}.Sum(sums);");
            }

            writer.Close();
        }

        writer.Line(Logarithm ? "var logarithm = VectorMath.Log(Vector128.Create(sum))[0];" : "var scale = 1f / sum;");
        foreach (var piece in pieces)
        {
            string Result(string value, Func<string, string> spread) =>
                Logarithm ? $"{value} - {spread("max")} - {spread("logarithm")}" : $"{value} * {spread("scale")}";
            var source = Logarithm ? "from" : "to";
            if (piece.IsPartial)
            {
                Each(piece, i => writer.Line($"to[{i}] = {Result($"{source}[{i}]", s => s)};"));
            }
            else
            {
                Loop(piece, piece.Start, i => writer.Line(piece.Isa.Store($"to + {i}", Result(piece.Isa.Load($"{source} + {i}"), piece.Isa.Broadcast))));
            }
        }

        // Single vectors are written out, more of them are a loop.
        void Loop(RunPiece piece, int start, Action<string> body)
        {
            var stop = piece.Start + piece.Count;
            if (start < stop)
            {
                writer.Open(stop - start > piece.Isa.Width ? $"for (var i = {start}; i < {stop}; i += {piece.Isa.Width})" : "");
                body(stop - start > piece.Isa.Width ? "i" : $"{start}");
                writer.Close();
            }
        }

        static void Each(RunPiece piece, Action<int> body)
        {
            for (var i = piece.Start; i < piece.Start + piece.Count; i++)
            {
                body(i);
            }
        }
    }

    private void EmitColumns(SourceWriter writer, Isa isa)
    {
        writer.Line($"var start = task % {Chunks} * {Chunk};").Line($"var offset = task / {Chunks} * {checked(Size * Inner)};");
        var full = Inner / isa.Width * isa.Width;
        if (full > 0)
        {
            writer.Open($"for (var column = start; column < Math.Min(start + {Chunk}, {full}); column += {isa.Width})");
            EmitColumn(writer, new RunPiece(isa, 0, isa.Width), "column");
            writer.Close();
        }

        foreach (var piece in RunPiece.Cover(isa, Inner).Where(p => p.Start >= full))
        {
            // The last columns, fewer than a vector: whoever has the last chunk does them.
            for (var start = piece.Start; start < piece.Start + piece.Count; start += piece.Isa.Width)
            {
                writer.Open(Chunks > 1 ? $"if (start == {(Chunks - 1) * Chunk})" : "");
                EmitColumn(writer, new RunPiece(piece.Isa, 0, Math.Min(piece.Isa.Width, piece.Count)), $"{start}");
                writer.Close();
            }
        }
    }

    private void EmitColumn(SourceWriter writer, RunPiece piece, string column)
    {
        var isa = piece.Isa;
        string Loop(int first) => $"for (var i = {first}; i < {Size}; i++)";
        writer.Line($"var from = x + offset + {column};").Line($"var to = y + offset + {column};");
        writer.Line($"var max = {piece.Load("from")};").Open(Loop(1)).Line($"max = {isa.Static}.Max(max, {piece.Load($"from + i * {Inner}")});").Close();
        writer.Line($"var sum = {isa.Type}.Zero;").Open(Loop(0));
        writer.Line($"var e = VectorMath.Exp({piece.Load($"from + i * {Inner}")} - max);").Line("sum += e;");
        if (!Logarithm)
        {
            piece.Store(writer, $"to + i * {Inner}", "e", "result");
        }

        writer.Close();
        writer.Line(Logarithm ? "var logarithm = VectorMath.Log(sum);" : $"var scale = {isa.Type}.One / sum;").Open(Loop(0));
        piece.Store(
            writer, $"to + i * {Inner}",
            Logarithm ? $"{piece.Load($"from + i * {Inner}")} - max - logarithm" : $"{piece.Load($"to + i * {Inner}")} * scale", "result");
        writer.Close();
    }

    private static int Product(IEnumerable<int> sizes) => sizes.Aggregate(1, (product, size) => checked(product * size));
}
