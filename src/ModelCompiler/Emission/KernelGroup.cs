// Kernels of one name are one method. What all of them agree on stays a constant in it; the rest are parameters that
// steps pass.
using System.Collections.Immutable;
using ModelCompiler.Kernels;

namespace ModelCompiler.Emission;

/// <summary>The kernels of one name in a network, and their code.</summary>
public sealed class KernelGroup
{
    /// <summary>Levels of indentation of the methods: they stand in a class inside of a class.</summary>
    internal const int Indentation = 2;

    private readonly HashSet<string> parameters;
    private readonly ImmutableArray<string> texts;
    private readonly Dictionary<string, ImmutableArray<int>> arguments;

    private KernelGroup(IReadOnlyCollection<Kernel> kernels)
    {
        Kernel = kernels.First();

        // Numbers that no instruction set's code names are nobody's parameters.
        parameters = Differing(kernels);
        if (parameters.Count > 0)
        {
            parameters.IntersectWith(Kernel.Code.SelectMany(w => w.Uses()));
        }

        texts = [.. Kernel.Code.Select(w => w.Finish(parameters))];
        arguments = kernels.ToDictionary(
            k => k.Key, k => k.Numbers.Where(n => parameters.Contains(n.Name)).Select(n => n.Value).ToImmutableArray(), StringComparer.Ordinal);
    }

    /// <summary>One of them; the code is the same for all.</summary>
    public Kernel Kernel { get; }

    public string Name => Kernel.Name;

    /// <summary>Groups in the order of their names.</summary>
    public static ImmutableArray<KernelGroup> Of(IEnumerable<Kernel> kernels)
    {
        var all = kernels.ToList();
        var keys = OnAllCores.Select(all, k => k.Key);
        var known = new HashSet<string>(StringComparer.Ordinal);
        var groups = all.Where((_, i) => known.Add(keys[i])).GroupBy(k => k.Name, StringComparer.Ordinal).OrderBy(g => g.Key, StringComparer.Ordinal).ToList();
        return [.. OnAllCores.Select(groups, g => new KernelGroup(g.ToList()))];
    }

    /// <summary>The group of every kernel, by its <see cref="Kernel.Key"/>.</summary>
    public static Dictionary<string, KernelGroup> ByKey(IEnumerable<KernelGroup> groups) =>
        groups.SelectMany(g => g.arguments.Keys.Select(key => (key, g))).ToDictionary(pair => pair.key, pair => pair.g, StringComparer.Ordinal);

    /// <summary>The numbers that are parameters, behind the scalars.</summary>
    public IEnumerable<string> Parameters => Kernel.Numbers.Select(n => n.Name).Where(parameters.Contains);

    /// <summary>What a call of <paramref name="kernel"/> passes for them.</summary>
    public ImmutableArray<int> Arguments(Kernel kernel) => arguments[kernel.Key];

    /// <summary>Writes the methods of all groups for one instruction set, two levels deep, and behind them those that they share.</summary>
    public static void Emit(SourceWriter writer, IReadOnlyCollection<KernelGroup> groups, Isa isa)
    {
        var index = Isa.All.ToList().IndexOf(isa);
        var shared = new SortedDictionary<string, Action<SourceWriter>>(StringComparer.Ordinal);
        foreach (var group in groups)
        {
            writer.Append(group.texts[index]);
            foreach (var method in group.Kernel.Code[index].Shared)
            {
                shared[method.Key] = method.Value;
            }
        }

        var methods = new SourceWriter(Indentation) { IsCompact = true };
        foreach (var write in shared.Values)
        {
            write(methods);
        }

        writer.Append(methods.ToString());
    }

    /// <summary>Writes the method that steps call, which picks the instruction set.</summary>
    public void EmitDispatch(SourceWriter writer)
    {
        var isBatch = Kernel.Scope == KernelScope.Batch;
        var arguments = new List<string>();
        var entry = 0;
        foreach (var operand in Kernel.Operands)
        {
            arguments.Add($"{(operand.Type == "float*" ? "" : $"({operand.Type})")}m[{Literals.Int(entry)}]");
            if (isBatch)
            {
                arguments.Add($"m.Stride({Literals.Int(entry)})");
            }

            entry++;
        }

        if (isBatch)
        {
            arguments.Add("m.Batch");
        }

        arguments.AddRange(Kernel.Scalars.Select(s => s is RandomKeyArgument ? $"m.Key({Literals.Int(entry++)})" : "m.Batch"));
        arguments.AddRange(Parameters.Select(_ => $"m.Number({Literals.Int(entry++)})"));
        var call = $"{Name}({string.Join(", ", arguments)}, begin, end);";
        writer.Line($"// {Kernel.Comment}");
        writer.Open($"internal static void {Name}(in StepMemory m, int begin, int end)");
        writer.Line($"if (Vector512.IsHardwareAccelerated) V512.{call}");
        writer.Line($"else if (Vector256.IsHardwareAccelerated) V256.{call}");
        writer.Line($"else V128.{call}").Close();
    }

    private static HashSet<string> Differing(IReadOnlyCollection<Kernel> kernels)
    {
        var first = kernels.First().Numbers;
        var differing = new HashSet<string>(StringComparer.Ordinal);
        foreach (var numbers in kernels.Select(k => k.Numbers))
        {
            for (var i = 0; i < first.Length; i++)
            {
                if (numbers.Length != first.Length || numbers[i].Name != first[i].Name)
                {
                    throw new InvalidOperationException($"Kernels named {kernels.First().Name} differ in the names of their numbers.");
                }

                if (numbers[i].Value != first[i].Value)
                {
                    differing.Add(first[i].Name);
                }
            }
        }

        return differing;
    }
}
