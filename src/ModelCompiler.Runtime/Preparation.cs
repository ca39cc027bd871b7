// What weights pass through on their way to their packed form. It lasts as long as an object prepares itself: each weight is read
// from its file when its turn comes, large ones some rows at a time, and nothing is kept but what kernels use.
using System.Runtime.InteropServices;

namespace ModelCompiler.Runtime;

/// <summary>Memory for values of parameters and for what is computed from them on the way.</summary>
/// <remarks>Memory is there between <see cref="Begin"/> and <see cref="End"/> only.</remarks>
internal sealed unsafe class Preparation
{
    private const int Alignment = 64;

    /// <summary>Of a parameter that is read in pieces: small enough to stay in a core's cache until it is packed.</summary>
    private const int PieceFloats = 1 << 18;

    /// <summary>Kernels may read over the end of a value by less than a vector.</summary>
    private const int Slack = Alignment / sizeof(float);

    private readonly ParameterSet parameters;
    private readonly long temporaryFloats;
    private readonly float*[] staged;
    private readonly float*[] pieces;
    private readonly long[] pieceFloats;
    private float* stage;
    private long stageFloats;

    public Preparation(ParameterSet parameters, long temporaryBytes, int threads)
    {
        this.parameters = parameters;
        staged = new float*[parameters.All.Count];
        pieces = new float*[threads];
        pieceFloats = new long[threads];
        temporaryFloats = temporaryBytes / sizeof(float);
    }

    /// <summary>Values between one step of the preparation and another.</summary>
    public float* Temporary { get; private set; }

    public void Begin() => Temporary = Allocate(temporaryFloats);

    /// <summary>The values of a parameter that <see cref="Stage"/> was told of last.</summary>
    public float* this[int parameter] => staged[parameter];

    /// <summary>Makes these parameters readable until the next call.</summary>
    public void Stage(ReadOnlySpan<int> needed)
    {
        var floats = 0L;
        foreach (var parameter in needed)
        {
            floats += parameters.PendingAt(parameter) is null ? 0 : Round(parameters.All[parameter].Count);
        }

        if (floats > stageFloats)
        {
            NativeMemory.AlignedFree(stage);
            stage = null;
            stage = Allocate(floats);
            stageFloats = floats;
        }

        var at = stage;
        foreach (var parameter in needed)
        {
            var info = parameters.All[parameter].Info;
            if (parameters.PendingAt(parameter) is { } pending)
            {
                pending.Fill(info, new Span<float>(at, info.Count));
                staged[parameter] = at;
                at += Round(info.Count);
            }
            else
            {
                staged[parameter] = parameters.Stored + info.Offset;
            }
        }
    }

    /// <summary>Memory for some rows of a parameter, for one thread.</summary>
    public float* Piece(int thread, long floats)
    {
        if (pieceFloats[thread] < floats)
        {
            NativeMemory.AlignedFree(pieces[thread]);
            pieces[thread] = null;
            pieces[thread] = Allocate(floats);
            pieceFloats[thread] = floats;
        }

        return pieces[thread];
    }

    /// <summary>How many of rows this long are read at once.</summary>
    public static int RowsAtOnce(long rowFloats) => (int)Math.Max(1, PieceFloats / rowFloats);

    public void End()
    {
        NativeMemory.AlignedFree(Temporary);
        NativeMemory.AlignedFree(stage);
        Temporary = stage = null;
        stageFloats = 0;
        for (var i = 0; i < pieces.Length; i++)
        {
            NativeMemory.AlignedFree(pieces[i]);
            pieces[i] = null;
            pieceFloats[i] = 0;
        }
    }

    private static long Round(long floats) => (floats + Slack - 1) / Slack * Slack;

    private static float* Allocate(long floats) => floats == 0 ? null : (float*)NativeMemory.AlignedAlloc((nuint)(Round(floats) + Slack) * sizeof(float), Alignment);
}
