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

    public override string Name => KernelName.Of(Logarithm ? "LogSoftmax" : "Softmax", Inner == 1 ? "row " + RowRun.Structure : $"column {Inner % 16},{Inner < 16},{Chunks > 1}");

    public override string Comment => $"y = {(Logarithm ? "logarithm of the softmax" : "softmax")} of x, {(Inner == 1 ? "each row" : "each column")}";

    public override KernelScope Scope => WorkScope;

    public override ImmutableArray<Operand> Operands => [new("x"), new("y")];

    public override ImmutableArray<KernelNumber> Numbers =>
    [
        new("tasks", Tasks), new("tasksPerUnit", TasksPerUnit), new("terms", Size),
        .. Inner == 1 ? [] : new KernelNumber[] { new("columns", Inner), new("chunks", Chunks) },
    ];

    private Run RowRun => new(Size, "terms");

    private int Outer => Product(Shape.Dimensions.Take(Axis));

    private int Size => Shape[Axis];

    private int Inner => Product(Shape.Dimensions.Skip(Axis + 1));

    private int Chunks => (Inner + Chunk - 1) / Chunk;

    /// <summary>Rows, or chunks of columns, that one unit does.</summary>
    private int TasksPerUnit => Math.Max(1, UnitElements / (Size * Math.Min(Inner, Chunk)));

    private int Tasks => Inner == 1 ? Outer : Outer * Chunks;

    public override int Units => (Tasks + TasksPerUnit - 1) / TasksPerUnit;

    public override void Emit(KernelWriter writer, Isa isa)
    {
        writer.OpenMethod();
        writer.Open("for (var task = begin * tasksPerUnit; task < Math.Min(end * tasksPerUnit, tasks); task++)");
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
        writer.Line("var from = x + task * terms;").Line("var to = y + task * terms;");
        var pieces = RunPiece.Cover(isa, RowRun).ToList();
        writer.Line("var max = float.NegativeInfinity;");
        foreach (var piece in pieces)
        {
            if (piece.IsPartial)
            {
                Each(piece, i => writer.Line($"max = MathF.Max(max, from[{piece.At(i)}]);"));
            }
            else
            {
                writer.Open("").Line($"var largest = {piece.Isa.Load($"from + {piece.From}")};");
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
                writer.Line($"var e = VectorMath.ExpOrZero({piece.Load($"from + {piece.From}")} - shift);");
                Each(piece, i => writer.Line($"sum += e[{i - piece.Start}];{(Logarithm ? "" : $" to[{piece.At(i)}] = e[{i - piece.Start}];")}"));
            }
            else
            {
                writer.Line($"var sums = {piece.Isa.Type}.Zero;");
                Loop(piece, piece.Start, i =>
                {
                    writer.Line($"var e = VectorMath.ExpOrZero({piece.Isa.Load($"from + {i}")} - shift);").Line("sums += e;");
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
                Each(piece, i => writer.Line($"to[{piece.At(i)}] = {Result($"{source}[{piece.At(i)}]", s => s)};"));
            }
            else
            {
                Loop(piece, piece.Start, i => writer.Line(piece.Isa.Store($"to + {i}", Result(piece.Isa.Load($"{source} + {i}"), piece.Isa.Broadcast))));
            }
        }

        // Single vectors are written out, more of them are a loop.
        void Loop(RunPiece piece, int start, Action<string> body)
        {
            if (start < piece.Start + piece.Count)
            {
                // A loop's first piece starts at 0, its second vector at the width.
                var isLoop = piece.IsLoop && (piece.Run.IsNamed || piece.Start + piece.Count - start > piece.Isa.Width);
                var from = start == piece.Start ? piece.From : Literals.Int(start);
                writer.Open(isLoop ? $"for (var i = {from}; i < {piece.To}; i += {piece.Isa.Width})" : "");
                body(isLoop ? "i" : from);
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
        writer.Line($"var start = task % chunks * {Chunk};").Line("var offset = task / chunks * (terms * columns);");
        var rest = Inner % isa.Width;
        if (Inner >= isa.Width)
        {
            writer.Open($"for (var column = start; column < Math.Min(start + {Chunk}, columns - {rest}); column += {isa.Width})");
            EmitColumn(writer, new RunPiece(isa, new Run(isa.Width, ""), 0, isa.Width), "column");
            writer.Close();
        }

        foreach (var piece in RunPiece.Cover(isa, rest))
        {
            // The last columns, fewer than a vector: whoever has the last chunk does them.
            writer.Open(Chunks > 1 ? $"if (start == (chunks - 1) * {Chunk})" : "");
            EmitColumn(writer, piece, $"columns - {rest - piece.Start}");
            writer.Close();
        }
    }

    private void EmitColumn(SourceWriter writer, RunPiece piece, string column)
    {
        var isa = piece.Isa;
        string Loop(int first) => $"for (var i = {first}; i < terms; i++)";
        writer.Line($"var from = x + offset + {column};").Line($"var to = y + offset + {column};");
        writer.Line($"var max = {piece.Load("from")};").Open(Loop(1)).Line($"max = {isa.Static}.Max(max, {piece.Load($"from + i * columns")});").Close();
        writer.Line($"var sum = {isa.Type}.Zero;").Open(Loop(0));
        writer.Line($"var e = VectorMath.ExpOrZero({piece.Load($"from + i * columns")} - max);").Line("sum += e;");
        if (!Logarithm)
        {
            piece.Store(writer, $"to + i * columns", "e", "result");
        }

        writer.Close();
        writer.Line(Logarithm ? "var logarithm = VectorMath.Log(sum);" : $"var scale = {isa.Type}.One / sum;").Open(Loop(0));
        piece.Store(
            writer, $"to + i * columns",
            Logarithm ? $"{piece.Load($"from + i * columns")} - max - logarithm" : $"{piece.Load($"to + i * columns")} * scale", "result");
        writer.Close();
    }

    private static int Product(IEnumerable<int> sizes) => sizes.Aggregate(1, (product, size) => checked(product * size));
}
