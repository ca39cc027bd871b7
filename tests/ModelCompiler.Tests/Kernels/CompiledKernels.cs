// Emits kernels for every instruction set, compiles them in process and calls them: each width's class directly,
// whatever the hardware would choose.
using System.Reflection;
using System.Runtime.Loader;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using ModelCompiler.Emission;
using ModelCompiler.Kernels;

namespace ModelCompiler.Tests.Kernels;

public sealed unsafe class CompiledKernels
{
    private static readonly Lazy<MetadataReference[]> References = new(() =>
    [
        .. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Where(p => Path.GetFileName(p) is "System.Private.CoreLib.dll" or "System.Runtime.dll" or "System.Runtime.Intrinsics.dll" or "System.Collections.dll")
            .Select(p => (MetadataReference)MetadataReference.CreateFromFile(p)),
        MetadataReference.CreateFromFile(typeof(Runtime.VectorMath).Assembly.Location),
    ]);

    private readonly Assembly assembly;
    private readonly Dictionary<string, KernelGroup> groups;

    public CompiledKernels(params IEnumerable<Kernel> kernels)
    {
        var all = KernelGroup.Of(kernels);
        groups = KernelGroup.ByKey(all);
        var writer = new SourceWriter();
        writer.Line("""
            using System;
            using System.Runtime.CompilerServices;
            using System.Runtime.Intrinsics;
            using System.Runtime.Intrinsics.X86;
            using ModelCompiler.Runtime;
            namespace Emitted;
            """);
        foreach (var isa in Isa.All)
        {
            writer.Open($"internal static unsafe class K{isa.Suffix}");
            KernelGroup.Emit(writer, all, isa);
            writer.Close();
        }

        Source = writer.ToString();
        var compilation = CSharpCompilation.Create(
            "Emitted" + Guid.NewGuid().ToString("N"),
            [CSharpSyntaxTree.ParseText(Source)],
            References.Value,
            new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, allowUnsafe: true, optimizationLevel: OptimizationLevel.Release));
        var image = new MemoryStream();
        var result = compilation.Emit(image);
        Assert.True(result.Success, string.Join("\n", result.Diagnostics.Where(d => d.Severity == DiagnosticSeverity.Error)) + "\n" + Source);
        Image = image.ToArray();
        image.Position = 0;
        assembly = new AssemblyLoadContext(null, isCollectible: true).LoadFromStream(image);
    }

    public string Source { get; }

    /// <summary>The assembly's bytes, for counts on real IL.</summary>
    public byte[] Image { get; }

    /// <summary>What a call passes for the numbers that the kernels of a name differ in.</summary>
    public IEnumerable<int> Numbers(Kernel kernel) => groups[kernel.Key].Arguments(kernel);

    /// <param name="arguments">Pointers as <see cref="nint"/>, strides as long, scalars, numbers.</param>
    public void Call(Kernel kernel, Isa isa, IReadOnlyList<object> arguments)
    {
        var method = assembly.GetType("Emitted.K" + isa.Suffix)!.GetMethod(kernel.Name, BindingFlags.Static | BindingFlags.NonPublic)!;
        var parameters = method.GetParameters();
        Assert.Equal(parameters.Length, arguments.Count);
        method.Invoke(null, BindingFlags.DoNotWrapExceptions, null, [.. arguments.Select((a, i) => a is nint p ? Pointer.Box((void*)p, parameters[i].ParameterType) : a)], null);
    }
}
