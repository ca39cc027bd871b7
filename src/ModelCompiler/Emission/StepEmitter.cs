// One method per step, named by its layer, that divides the step's units over threads and samples and hands each
// part to the kernel of the instruction set at hand.
using ModelCompiler.Kernels;
using ModelCompiler.Planning;

namespace ModelCompiler.Emission;

internal sealed class StepEmitter(SourceWriter writer, string className, string kernels, CompilerOptions options)
{
    public static string Method(Step step) => "Step_" + step.Name;

    public void Emit(Step step)
    {
        var kernel = step.Kernel;
        var perSample = kernel.Scope == KernelScope.Sample;
        var line = options.LineDirectives && step.Origin.Place is not null;
        writer.Line().Line($"// {step.Description}").Line($"// {kernel.Comment}");
        writer.Line($"private void {Method(step)}() => Run(&{Method(step)}, {(perSample ? kernel.Units == 1 ? "Batch" : $"Batch * {N(kernel.Units)}" : N(kernel.Units))});");
        writer.Line();
        if (line)
        {
            var place = step.Origin.Place!.Value;
            writer.Line($"#line {N(place.Line)} {PathLiteral(place.File.Path)}");
        }

        writer.Open($"private static void {Method(step)}(CompiledNetwork network, int begin, int end)");
        writer.Line($"var net = ({className})network;");
        var borrows = step.Operands.Any(o => o.Region == Region.Scratch);
        if (borrows)
        {
            writer.Line("float* scratch = net.BorrowScratch(out int slot);");
        }

        if (!perSample)
        {
            Call(step, "begin", "end");
        }
        else if (kernel.Units == 1)
        {
            writer.Open("for (int sample = begin; sample < end; sample++)");
            Call(step, "0", "1");
            writer.Close();
        }
        else
        {
            writer.Open("while (begin < end)");
            writer.Line($"int sample = begin / {N(kernel.Units)}, from = begin % {N(kernel.Units)}, to = Math.Min({N(kernel.Units)}, from + end - begin);");
            Call(step, "from", "to");
            writer.Line("begin += to - from;").Close();
        }

        if (borrows)
        {
            writer.Line("net.ReturnScratch(slot);");
        }

        writer.Close();
        if (line)
        {
            writer.Line("#line default");
        }
    }

    private static string N(long value) => Literals.Int(value);

    /// <summary>Paths in #line have no escapes; quotes cannot stand in them.</summary>
    private static string PathLiteral(string path) => "\"" + path.Replace("\"", "").Replace("\n", "").Replace("\r", "") + "\"";

    private void Call(Step step, string begin, string end)
    {
        var batch = step.Kernel.Scope == KernelScope.Batch;
        var arguments = new List<string>();
        for (var i = 0; i < step.Operands.Length; i++)
        {
            arguments.Add(Pointer(step.Operands[i], step.Kernel.Operands[i].Type, step.Kernel.Scope == KernelScope.Sample));
            if (batch)
            {
                arguments.Add(Stride(step.Operands[i]));
            }
        }

        if (batch)
        {
            arguments.Add("net.Batch");
        }

        foreach (var scalar in step.Kernel.Scalars)
        {
            arguments.Add(scalar switch
            {
                BatchSizeArgument => "net.Batch",
                RandomKeyArgument key => $"RandomBits.Key(net.Seed, net.StepNumber, {N(key.Stream)}, {(step.Kernel.Scope == KernelScope.Sample ? "sample" : "0")})",
                _ => throw new InvalidOperationException($"No value for the argument '{scalar.Name}'."),
            });
        }

        var text = $"{step.Kernel.Name}({string.Join(", ", arguments)}, {begin}, {end});";
        writer.Line($"if (Vector512.IsHardwareAccelerated) {kernels}.V512.{text}");
        writer.Line($"else if (Vector256.IsHardwareAccelerated) {kernels}.V256.{text}");
        writer.Line($"else {kernels}.V128.{text}");
    }

    private static string Stride(Address address) => address.Region switch
    {
        Region.Samples => "SampleFloats",
        Region.Input or Region.Target or Region.Output or Region.InputGradient => N(address.SampleCount),
        _ => "0",
    };

    private static string Pointer(Address address, string type, bool ofSample)
    {
        var start = address.Region switch
        {
            Region.Samples => "net.Samples",
            Region.Common => "net.Common",
            Region.Scratch => "scratch",
            Region.Parameters => "net.Parameters.Pointer",
            Region.Gradients => "net.Gradients.Pointer",
            Region.Input => $"net.InputPointer({N(address.Index)})",
            Region.Target => type == "int*" ? $"net.TargetPointer({N(address.Index)})" : $"net.TargetFloatPointer({N(address.Index)})",
            Region.Output => $"net.OutputPointer({N(address.Index)})",
            Region.InputGradient => $"net.InputGradientPointer({N(address.Index)})",
            _ => "net.LossPointer",
        };
        var sample = ofSample && address.Batched ? address.Region == Region.Samples ? " + sample * SampleFloats" : $" + sample * {N(address.SampleCount)}L" : "";
        return start + sample + (address.Offset == 0 ? "" : $" + {N(address.Offset)}");
    }
}
