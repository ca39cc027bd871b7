// A kernel is a value: everything that decides its code. Equal kernels are one method, so layers of one shape
// share it, in inference and training alike.
using System.Collections.Immutable;
using ModelCompiler.Emission;

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
public sealed record Operand(string Name, string Type = "float*");

/// <summary>A number that a kernel gets beside its operands.</summary>
public abstract record ScalarArgument(string Name, string Type);

/// <summary>The batch size as a float.</summary>
public sealed record BatchSizeArgument() : ScalarArgument("batchSize", "float");

/// <summary>The key of a stream of random numbers for the sample at hand.</summary>
public sealed record RandomKeyArgument(int Index, int Stream) : ScalarArgument($"key{Index}", "uint");

/// <summary>
/// Method that <see cref="Emit"/> writes, in a static unsafe class per instruction set:
/// Sample and Once: <c>Name(float* a, float* b, …, [scalars], int begin, int end)</c>;
/// Batch: <c>Name(float* a, long aStride, float* b, long bStride, …, int batch, [scalars], int begin, int end)</c>, where the
/// stride is the distance between samples in floats (0 for an operand that has no samples).
/// It does units [begin, end) of <see cref="Units"/>. Units are independent of one another and write disjoint memory, so
/// the result does not depend on how they are spread over threads. Pointers are at the start of the operand's layout
/// (add Layout.Origin). Operands are inputs first, then outputs.
/// </summary>
public abstract record Kernel
{
    /// <summary>Identifier made of the operation and its geometry; equal kernels have equal names and different ones different.</summary>
    public abstract string Name { get; }

    /// <summary>For readers of the emitted code: what it computes, on which shapes, with which tile.</summary>
    public abstract string Comment { get; }

    public virtual KernelScope Scope => KernelScope.Sample;

    public abstract ImmutableArray<Operand> Operands { get; }

    public virtual ImmutableArray<ScalarArgument> Scalars => ImmutableArray<ScalarArgument>.Empty;

    /// <summary>Independent pieces of the work: per sample for Sample scope, in all for the others.</summary>
    public abstract int Units { get; }

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

    /// <summary>Writes the method <see cref="Name"/> and its private helpers (named Name_something).</summary>
    public abstract void Emit(SourceWriter writer, Isa isa);

    /// <summary>The parameter list as text.</summary>
    public string Parameters
    {
        get
        {
            var parts = Operands.Select(o => Scope == KernelScope.Batch ? $"{o.Type} {o.Name}, long {o.Name}Stride" : $"{o.Type} {o.Name}").ToList();
            if (Scope == KernelScope.Batch)
            {
                parts.Add("int batch");
            }

            parts.AddRange(Scalars.Select(s => $"{s.Type} {s.Name}"));
            parts.Add("int begin");
            parts.Add("int end");
            return string.Join(", ", parts);
        }
    }

    /// <summary>Every kernel method: without this attribute its first calls run at 7 % of peak.</summary>
    public const string Attribute = "[MethodImpl(MethodImplOptions.AggressiveOptimization)]";
}
