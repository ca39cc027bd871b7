// One method per step, named by its layer: the kernel with the addresses and numbers it works on here. How the
// step's units are divided over threads and samples is the runtime's affair.
using ModelCompiler.Kernels;
using ModelCompiler.Planning;

namespace ModelCompiler.Emission;

/// <param name="kernels">Name of the class that holds the kernels.</param>
/// <param name="groups">By the kernels' keys.</param>
/// <param name="places">Of a parameter in the network's information, by its offset in the storage.</param>
internal sealed class StepEmitter(
    SourceWriter writer, string kernels, IReadOnlyDictionary<string, KernelGroup> groups, IReadOnlyDictionary<int, int> places, CompilerOptions options)
{
    private bool isMapped;

    /// <summary>The statement that runs a step.</summary>
    public string Run(Step step)
    {
        var method = $"&{Method(step)}, {Literals.Int(step.Kernel.Units)}";
        var parameters = step.Prepare ? step.Operands.Where(o => o.Region == Region.Parameters).Select(o => Literals.Int(places[o.Offset])).Distinct().ToList() : [];
        return IsByRows(step) ? $"PackRows({method}, {parameters[0]}, {Literals.Int(step.Kernel.SourceRowFloats)});"
            : parameters.Count > 0 ? $"Pack({method}, [{string.Join(", ", parameters)}]);"
            : $"{(step.WithNext ? "Defer" : step.Kernel.Scope == KernelScope.Sample ? "RunSamples" : "RunBatch")}({method});";
    }

    public void Emit(Step step)
    {
        var isLayer = options.LineDirectives && step.Origin.Place is not null;
        if (!isLayer)
        {
            End();
        }

        var group = groups[step.Kernel.Key];
        writer.Line($"// {step.Description}: {group.Kernel.Comment}");
        if (isLayer)
        {
            var place = step.Origin.Place!.Value;
            writer.Line($"#line {Literals.Int(place.Line)} {PathLiteral(place.File.Path)}");
            isMapped = true;
        }

        writer.Line($"private static void {Method(step)}(in StepMemory m, int begin, int end) => {kernels}.{group.Name}({string.Join(", ", Arguments(step, group))}, begin, end);");
    }

    /// <summary>Behind the last step: lines are the emitted file's again.</summary>
    public void End()
    {
        if (isMapped)
        {
            writer.Line("#line default");
            isMapped = false;
        }
    }

    /// <summary>Such a step reads a parameter that need not be in memory as a whole.</summary>
    private static bool IsByRows(Step step) =>
        step.Prepare && step.Kernel.SourceRowFloats > 0 && step.Operands[0].Region == Region.Parameters && step.Operands.Count(o => o.Region == Region.Parameters) == 1;

    private static string Method(Step step) => "Step_" + step.Name;

    /// <summary>Paths in #line have no escapes; quotes cannot stand in them.</summary>
    private static string PathLiteral(string path) => "\"" + path.Replace("\"", "").Replace("\n", "").Replace("\r", "") + "\"";

    private IEnumerable<string> Arguments(Step step, KernelGroup group)
    {
        var kernel = step.Kernel;
        var operands = kernel.Operands;
        for (var i = 0; i < step.Operands.Length; i++)
        {
            yield return Pointer(step, step.Operands[i], operands[i]);
            if (kernel.Scope == KernelScope.Batch)
            {
                yield return Stride(step.Operands[i]);
            }
        }

        if (kernel.Scope == KernelScope.Batch)
        {
            yield return "m.Batch";
        }

        foreach (var scalar in kernel.Scalars)
        {
            yield return scalar switch
            {
                BatchSizeArgument => "m.Batch",
                RandomKeyArgument key => $"m.Key({Literals.Int(key.Stream)})",
                _ => throw new InvalidOperationException($"No value for the argument '{scalar.Name}'."),
            };
        }

        foreach (var number in group.Arguments(kernel))
        {
            yield return Literals.Int(number);
        }
    }

    private static string Stride(Address address) => address.Region switch
    {
        Region.Samples => "SampleFloats",
        Region.Input or Region.Target or Region.Output or Region.InputGradient => Literals.Int(address.SampleCount),
        _ => "0",
    };

    private string Pointer(Step step, Address address, Operand operand)
    {
        if (step.Prepare && address.Region == Region.Parameters)
        {
            return Shifted(IsByRows(step) ? "m.Source" : $"m.Parameter({Literals.Int(places[address.Offset])})", operand.Offset);
        }

        var index = Literals.Int(address.Index);
        var start = address.Region switch
        {
            Region.Samples => "m.Sample",
            Region.Common => "m.Common",
            Region.Preparation => "m.Temporary",
            Region.Scratch => "m.Scratch",
            Region.Parameters => "m.Parameters",
            Region.Gradients => "m.Gradients",
            Region.Input => $"m.Input({index})",
            Region.Target => operand.Type == "int*" ? $"m.Classes({index})" : $"m.Target({index})",
            Region.Output => $"m.Output({index})",
            Region.InputGradient => $"m.InputGradient({index})",
            _ => "m.Loss",
        };
        return Shifted(start, checked(address.Offset + operand.Offset));
    }

    private static string Shifted(string start, int offset) => offset switch
    {
        0 => start,
        < 0 => $"{start} - {Literals.Int(-(long)offset)}",
        _ => $"{start} + {Literals.Int(offset)}",
    };
}
