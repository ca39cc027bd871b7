// The schedule of a product: a line for each step, with the kernel and the places and numbers it works on here. Steps that a
// line of the `.cnn` file became, as far as they follow one another, are one statement, which `#line` maps to that line.
using System.Text;
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
    internal const int StepsOfMethod = 256;

    /// <summary>Longer chains of calls overflow the stack of a C# compiler.</summary>
    private const int StepsOfStatement = 32;

    private readonly StringBuilder call = new();

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
            while (to < steps.Count && to - from < StepsOfStatement && !IsChoice(steps[from]) && !IsChoice(steps[to]) && IsSame(place, options.LineDirectives ? steps[to].Origin.Place : null))
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

            if (steps[from].WithoutKeptFilters is { } other)
            {
                writer.Line($"if (KeepsFilters) Steps.{Call(steps[from])}; // {steps[from].Description}");
                writer.Line($"else Steps.{Call(steps[from] with { Kernel = other })};");
                from = to;
                continue;
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

    /// <summary>Whether the machine decides which of two kernels runs; such a step is a statement of its own.</summary>
    private static bool IsChoice(Step step) => step.WithoutKeptFilters is not null;

    private static bool IsSame(SourceSpan? a, SourceSpan? b) => a is null ? b is null : b is not null && a.Value.Line == b.Value.Line && a.Value.File.Path == b.Value.File.Path;

    private string Call(Step step)
    {
        var group = groups[step.Kernel.Key];
        var weights = step.Prepare ? step.Operands.Count(o => o.Region == Region.Parameters) : 0;
        var byRows = weights == 1 && step.Kernel.SourceRowFloats > 0 && step.Operands[0].Region == Region.Parameters;
        var run = byRows ? "PackRows" : weights > 0 ? "Pack" : step.WithNext ? "Defer" : step.ByGroups ? "Groups" : step.Kernel.Scope == KernelScope.Sample ? "Samples" : "Batch";
        call.Clear().Append(run).Append("(&").Append(kernels).Append('.').Append(group.Name).Append(", ").Append(Literals.Int(step.Kernel.Units));
        if (byRows)
        {
            call.Append(", ").Append(Literals.Int(step.Kernel.SourceRowFloats));
        }

        call.Append(", [");
        AppendOperands(step, group);
        call.Append(']');
        if (step.Turns > 0)
        {
            call.Append(", ").Append(Literals.Int(step.Turns));
        }

        if (run is "Samples" or "Batch")
        {
            call.Append(", ").Append(Literals.Int(Cycles(step)));
        }

        return call.Append(')').ToString();
    }

    /// <summary>About how many a core takes for a sample: a multiply-add or load of a vector each, two at a time. It need not be exact; what it decides
    /// is whether threads share a step.</summary>
    private static long Cycles(Step step) => Math.Min(int.MaxValue, Math.Max(step.Kernel.Macs / 32, step.Floats / 8));

    /// <summary>Paths in #line have no escapes; quotes cannot stand in them.</summary>
    private static string PathLiteral(string path) => "\"" + path.Replace("\"", "").Replace("\n", "").Replace("\r", "") + "\"";

    /// <summary>As the kernel's dispatching method reads them.</summary>
    private void AppendOperands(Step step, KernelGroup group)
    {
        var operands = step.Kernel.Operands;
        for (var i = 0; i < step.Operands.Length; i++)
        {
            // The preparation reads parameters from wherever they are.
            var (address, start) = (step.Operands[i], operands[i].Offset);
            call.Append(i == 0 ? "Place." : ", Place.");
            if (step.Prepare && address.Region == Region.Parameters)
            {
                AppendPlace("Weight", parameters[address.Offset], start);
            }
            else
            {
                AppendPlace(address.Region.ToString(), address.Index, checked(address.Offset + start));
            }
        }

        foreach (var key in step.Kernel.Scalars.OfType<RandomKeyArgument>())
        {
            call.Append(", ").Append(Literals.Int(key.Stream));
        }

        foreach (var number in group.Arguments(step.Kernel))
        {
            call.Append(", ").Append(Literals.Int(number));
        }
    }

    private void AppendPlace(string region, int number, int offset)
    {
        call.Append(region);
        if (number > 0)
        {
            call.Append(" + ").Append(number == 1 ? "" : Literals.Int(number) + " * ").Append("Place.Next");
        }

        if (offset != 0)
        {
            call.Append(offset < 0 ? " - " : " + ").Append(Literals.Int(Math.Abs((long)offset)));
        }
    }
}
