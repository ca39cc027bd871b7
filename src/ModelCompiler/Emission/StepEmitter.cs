// The schedule of a product: a line for each step, with the kernel and the places and numbers it works on here. Steps that a
// line of the `.cnn` file became, as far as they follow one another, are one statement, which `#line` maps to that line.
using ModelCompiler.Grammar;
using ModelCompiler.Kernels;
using ModelCompiler.Planning;

namespace ModelCompiler.Emission;

/// <param name="kernels">Name of the class that holds the kernels.</param>
/// <param name="groups">By the kernels' keys.</param>
/// <param name="parameters">Place of a parameter in the network's information, by its offset in the storage.</param>
internal sealed class StepEmitter(
    SourceWriter writer, string kernels, IReadOnlyDictionary<string, KernelGroup> groups, IReadOnlyDictionary<int, int> parameters, CompilerOptions options)
{
    /// <summary>A method of more steps would be optimised badly, or not at all.</summary>
    private const int StepsOfMethod = 256;

    /// <summary>Longer chains of calls overflow the stack of a C# compiler.</summary>
    private const int StepsOfStatement = 32;

    /// <summary>Writes the method <paramref name="signature"/>, in parts where it is long.</summary>
    public void EmitMethod(string signature, string name, IReadOnlyList<Step> steps)
    {
        if (steps.Count <= StepsOfMethod)
        {
            writer.Open(signature);
            EmitSteps(steps);
            writer.Close();
            return;
        }

        var parts = (steps.Count + StepsOfMethod - 1) / StepsOfMethod;
        writer.Open(signature);
        for (var i = 0; i < parts; i++)
        {
            writer.Line($"{name}__{Literals.Int(i + 1)}();");
        }

        writer.Close();
        for (var i = 0; i < parts; i++)
        {
            writer.Line().Open($"private void {name}__{Literals.Int(i + 1)}()");
            EmitSteps(steps.Skip(i * StepsOfMethod).Take(StepsOfMethod).ToList());
            writer.Close();
        }
    }

    private void EmitSteps(IReadOnlyList<Step> steps)
    {
        var isMapped = false;
        for (var from = 0; from < steps.Count;)
        {
            var place = options.LineDirectives ? steps[from].Origin.Place : null;
            var to = from + 1;
            while (to < steps.Count && to - from < StepsOfStatement && IsSame(place, options.LineDirectives ? steps[to].Origin.Place : null))
            {
                to++;
            }

            if (place is { } known)
            {
                writer.Line($"#line {Literals.Int(known.Line)} {PathLiteral(known.File.Path)}");
                isMapped = true;
            }
            else if (isMapped)
            {
                writer.Line("#line default");
                isMapped = false;
            }

            for (var i = from; i < to; i++)
            {
                writer.Line($"{(i == from ? "Steps" : "    ")}.{Call(steps[i])}{(i + 1 < to ? "" : ";")} // {steps[i].Description}");
            }

            from = to;
        }

        if (isMapped)
        {
            writer.Line("#line default");
        }
    }

    private static bool IsSame(SourceSpan? a, SourceSpan? b) => a is null ? b is null : b is not null && a.Value.Line == b.Value.Line && a.Value.File.Path == b.Value.File.Path;

    private string Call(Step step)
    {
        var group = groups[step.Kernel.Key];
        var weights = step.Prepare ? step.Operands.Count(o => o.Region == Region.Parameters) : 0;
        var byRows = weights == 1 && step.Kernel.SourceRowFloats > 0 && step.Operands[0].Region == Region.Parameters;
        var run = byRows ? "PackRows" : weights > 0 ? "Pack" : step.WithNext ? "Defer" : step.Kernel.Scope == KernelScope.Sample ? "Samples" : "Batch";
        return $"{run}(&{kernels}.{group.Name}, {Literals.Int(step.Kernel.Units)}, {(byRows ? Literals.Int(step.Kernel.SourceRowFloats) + ", " : "")}[{string.Join(", ", Operands(step, group))}])";
    }

    /// <summary>Paths in #line have no escapes; quotes cannot stand in them.</summary>
    private static string PathLiteral(string path) => "\"" + path.Replace("\"", "").Replace("\n", "").Replace("\r", "") + "\"";

    /// <summary>As the kernel's dispatching method reads them.</summary>
    private IEnumerable<string> Operands(Step step, KernelGroup group)
    {
        var operands = step.Kernel.Operands;
        for (var i = 0; i < step.Operands.Length; i++)
        {
            // The preparation reads parameters from wherever they are.
            yield return step.Prepare && step.Operands[i].Region == Region.Parameters
                ? PlaceOf("Weight", parameters[step.Operands[i].Offset], operands[i].Offset)
                : PlaceOf($"{step.Operands[i].Region}", step.Operands[i].Index, checked(step.Operands[i].Offset + operands[i].Offset));
        }

        foreach (var key in step.Kernel.Scalars.OfType<RandomKeyArgument>())
        {
            yield return Literals.Int(key.Stream);
        }

        foreach (var number in group.Arguments(step.Kernel))
        {
            yield return Literals.Int(number);
        }
    }

    private static string PlaceOf(string region, int number, int offset)
    {
        var index = number switch { 0 => "", 1 => " + Place.Next", _ => $" + {Literals.Int(number)} * Place.Next" };
        var shift = offset == 0 ? "" : offset < 0 ? $" - {Literals.Int(-(long)offset)}" : $" + {Literals.Int(offset)}";
        return $"Place.{region}{index}{shift}";
    }
}
