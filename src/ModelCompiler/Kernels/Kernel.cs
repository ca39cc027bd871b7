// A kernel is a value: everything that decides its code. Its name tells the structure of the code, its numbers are
// the sizes and strides the code works with. Kernels of one name are one method, so layers that differ in
// numbers only share it, in inference and training alike.
using System.Collections.Immutable;
using ModelCompiler.Emission;
using ModelCompiler.Graph;

namespace ModelCompiler.Kernels;

public enum KernelScope
{
    /// <summary>Works on one sample; called for each.</summary>
    Sample,

    /// <summary>Sees all samples: dense layers, weight gradients, sums over the batch.</summary>
    Batch,

    /// <summary>Touches no sample: packing weights, folding norms.</summary>
    Once,
}

/// <param name="Type"><c>float*</c> or, for class numbers, <c>int*</c>.</param>
/// <param name="Offset">Floats from the start of the operand's memory to where its pointer points: the caller adds it.</param>
public sealed record Operand(string Name, string Type = "float*", int Offset = 0);

/// <summary>A number that a kernel gets beside its operands.</summary>
public abstract record ScalarArgument(string Name, string Type);

/// <summary>The batch size as a float.</summary>
public sealed record BatchSizeArgument() : ScalarArgument("batchSize", "float");

/// <summary>The key of a stream of random numbers for the sample at hand.</summary>
public sealed record RandomKeyArgument(int Index, int Stream) : ScalarArgument($"key{Index}", "uint");

/// <summary>A size, count or stride that <see cref="Kernel.Emit"/> writes by its name.</summary>
public readonly record struct KernelNumber(string Name, int Value)
{
    /// <summary>Of a value that may be too large for an address: such networks are reported, not emitted.</summary>
    public KernelNumber(string name, long value)
        : this(name, checked((int)value))
    {
    }
}

/// <summary>
/// Method that <see cref="Emit"/> writes, in a static unsafe class per instruction set:
/// Sample and Once: <c>Name(float* a, float* b, …, [scalars], [numbers], int begin, int end)</c>;
/// Batch: <c>Name(float* a, long aStride, float* b, long bStride, …, int batch, [scalars], [numbers], int begin, int end)</c>, where the
/// stride is the distance between samples in floats (0 for an operand that has no samples).
/// It does units [begin, end) of <see cref="Units"/>. Units are independent of one another and write disjoint memory, so
/// the result does not depend on how they are spread over threads. Operands are inputs first, then outputs.
/// </summary>
public abstract record Kernel
{
    /// <summary>Identifier that tells the structure of the code: kernels with equal names have equal code, save for the values of
    /// <see cref="Numbers"/>, and kernels with different code have different names. Made from the code itself where a kernel does
    /// not make one; that is safe whatever the code depends on, and costs writing it.</summary>
    public virtual string Name => field ??= KernelName.Of(GetType().Name.Replace("Kernel", ""), Code.Select(c => c.Template).Append(Comment));

    /// <summary>For readers of the emitted code: what it computes and with which tile; no more than the name tells.</summary>
    public abstract string Comment { get; }

    public virtual KernelScope Scope => KernelScope.Sample;

    public abstract ImmutableArray<Operand> Operands { get; }

    /// <summary>Leading operands that are only read; the others are written.</summary>
    public virtual int ReadOperands => Operands.Length - 1;

    public virtual ImmutableArray<ScalarArgument> Scalars => ImmutableArray<ScalarArgument>.Empty;

    /// <summary>What the code refers to by name. Where all kernels of a name in a network agree on a number it is a constant of their
    /// method, else a parameter. Equal names of kernels have equal names of numbers, in this order.</summary>
    public virtual ImmutableArray<KernelNumber> Numbers => field.IsDefault
        ? field = [.. Code.SelectMany(c => c.Numbers).GroupBy(n => n.Name).Select(Agreed)]
        : field;

    /// <summary>Independent pieces of the work: per sample for Sample scope, in all for the others.</summary>
    public abstract int Units { get; }

    /// <summary>Into how many runs of equally many units the work falls that each work on a part of large operands, a block of channels or a part of the plane,
    /// and so can take turns with those of another kernel; 0 where it does not, or units do not divide.</summary>
    public virtual int Turns => 0;

    /// <summary>Floats from the part of an operand that one of <see cref="Turns"/> uses to the next one's; 0 where each may use all of it.</summary>
    public virtual int TurnStride(int operand) => 0;

    /// <summary>Where unit u reads numbers [u * SourceRowFloats, (u + 1) * SourceRowFloats) of the first operand and no others of it; else 0. Such
    /// an operand need not be in memory as a whole.</summary>
    public virtual int SourceRowFloats => 0;

    /// <summary>Multiply-adds for one sample, as the algorithm does them; 0 for what only moves or combines.</summary>
    public virtual long Macs => 0;

    /// <summary>Floats read and written for one sample when each operand passes by once.</summary>
    /// <param name="operands">Sizes of the operands.</param>
    public virtual long Traffic(IEnumerable<int> operands) => operands.Sum(size => (long)size);

    /// <summary>Algorithm and tile in a few words: <c>direct 1x14x2</c>.</summary>
    public virtual string Choice => GetType().Name.Replace("Kernel", "");

    /// <summary>How the main operand and the result lie in memory: <c>b64x56x56h1 -> b64x56x56</c>.</summary>
    public virtual string Layouts => "";

    /// <summary>The formula computed in the same pass, as text; empty for none.</summary>
    public virtual string Fusion => "";

    /// <summary><see cref="Fusion"/> of a formula, if there is one, and of a pool, by its text, behind it.</summary>
    protected static string FusionOf(Expression? formula, string pool = "") =>
        string.Join(", ", new[] { formula is null ? "" : new FormulaProgram([formula]).Readable, pool }.Where(text => text.Length > 0));

    /// <summary>Everything that decides what a call does.</summary>
    public virtual string Key => field ??= $"{Name}({string.Join(",", Numbers.Select(n => Literals.Int(n.Value)))})";

    /// <summary>The one value that a number has: steps pass the same to every instruction set.</summary>
    private KernelNumber Agreed(IGrouping<string, KernelNumber> sets) => sets.Distinct().Count() == 1
        ? sets.First()
        : throw new InvalidOperationException(
            $"The number '{sets.Key}' of a {GetType().Name} differs between instruction sets: {string.Join(", ", sets.Select(n => Literals.Int(n.Value)).Distinct())}.");

    /// <summary>The methods for each instruction set, as in <see cref="Isa.All"/>.</summary>
    internal ImmutableArray<KernelWriter> Code => field.IsDefault
        ? field = [.. Isa.All.Select(isa =>
        {
            var writer = new KernelWriter(this, KernelGroup.Indentation) { IsCompact = true };
            Emit(writer, isa);
            return writer;
        })]
        : field;

    /// <summary>Writes the method <see cref="Name"/> and its private helpers (named Name_something).</summary>
    public abstract void Emit(KernelWriter writer, Isa isa);

    /// <summary>The parameter list before the numbers as text; never empty.</summary>
    public string Parameters => string.Join(", ", [
        .. Operands.Select(o => Scope == KernelScope.Batch ? $"{o.Type} {o.Name}, long {o.Name}Stride" : $"{o.Type} {o.Name}"),
        .. Scope == KernelScope.Batch ? ["int batch"] : Array.Empty<string>(),
        .. Scalars.Select(s => $"{s.Type} {s.Name}")]);

    /// <summary>Every kernel method: without this attribute its first calls run at 7 % of peak.</summary>
    public const string Attribute = "[MethodImpl(MethodImplOptions.AggressiveOptimization)]";

    /// <summary>The head of a private method that kernels call.</summary>
    internal static string Helper(string name, string parameters) => $"{Attribute} private static void {name}({parameters})";
}
