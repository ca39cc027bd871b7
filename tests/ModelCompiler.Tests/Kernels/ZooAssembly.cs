// What the compiler emits for the published networks, in inference and in training, as far as it could be too large for the JIT. Networks
// share most kernels, so these are taken once for all, as those of one large network: a number that is a constant in one network alone
// is a parameter here, which makes a method larger, if anything.
using System.Collections.Immutable;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using ModelCompiler.Emission;
using ModelCompiler.Graph;
using ModelCompiler.Kernels;
using ModelCompiler.Planning;
using ModelCompiler.Tests.Emission;
using ModelCompiler.Tests.Evaluation;

namespace ModelCompiler.Tests.Kernels;

/// <param name="Isa">The instruction set of its kernels; null for the steps of networks.</param>
/// <param name="Characters">Of each method, by class and name.</param>
internal sealed record ZooAssembly(Isa? Isa, byte[] Image, IReadOnlyDictionary<string, int> Characters)
{
    /// <summary>Kernels with less text, all their methods together, are left out, for Roslyn takes a minute for all: they would need more than
    /// half a byte of IL for each character to come near the budget. Tests see that no method does (the most of all 5,520 for AVX-512: 0.35).</summary>
    private const int Fewest = 20_000;

    private const string Name = "Zoo";
    private static readonly CompilerOptions Options = new("Emitted", "", LineDirectives: false);
    private static readonly Lazy<ImmutableArray<ZooAssembly>> Compiled = new(CompileAll);

    /// <summary>Compiled once for all tests. Nothing in them can run.</summary>
    public static ImmutableArray<ZooAssembly> All => Compiled.Value;

    private static ImmutableArray<ZooAssembly> CompileAll()
    {
        var products = ZooTests.Names.AsParallel().AsOrdered().Select(Plans).ToList();
        var kernels = KernelGroup.Of(products.SelectMany(p => p.Plans).SelectMany(p => p.Prepare.Concat(p.Steps)).SelectMany(s => s.Kernels));
        var parts = Isa.All.Select(isa => (Isa: (Isa?)isa, Source: Large(kernels, isa))).Append((null, Steps(products, kernels)));
        return [.. parts.AsParallel().AsOrdered().Select(part => new ZooAssembly(
            part.Isa, CompiledText.Compile([new EmittedNetwork(Name, "", part.Source)]), Lengths(part.Source)))];
    }

    private static (NetworkGraph Network, Plan[] Plans) Plans(string file)
    {
        var network = ZooTests.Evaluate(file);
        return (network, network.Loss is null ? [Planner.ForInference(network)] : [Planner.ForInference(network), Planner.ForTraining(network, inputGradients: false)]);
    }

    private static string Large(ImmutableArray<KernelGroup> kernels, Isa isa)
    {
        string Text(IReadOnlyCollection<KernelGroup> some)
        {
            var writer = Head();
            writer.Open($"internal static unsafe class V{isa.Suffix}");
            KernelGroup.Emit(writer, some, isa);
            return writer.Close().ToString();
        }

        return Text([.. kernels.Where(kernel => Text([kernel]).Length >= Fewest)]);
    }

    /// <summary>The longest method of each network's schedules, which stands for the others: all are sequences of the same few calls, and most
    /// are as long as a method may be.</summary>
    private static string Steps(IEnumerable<(NetworkGraph Network, Plan[] Plans)> products, ImmutableArray<KernelGroup> kernels)
    {
        var groups = KernelGroup.ByKey(kernels);
        var writer = Head();
        writer.Open($"internal static unsafe class {NetworkClass.KernelsName(Name)}");
        foreach (var kernel in kernels)
        {
            writer.Line($"internal static void {kernel.Name}(in StepMemory m, int begin, int end) {{ }}");
        }

        writer.Close();
        foreach (var (network, plans) in products)
        {
            var parameters = ParameterStorage.All(network).Select((slot, place) => (slot.Offset, place)).ToDictionary(pair => pair.Offset, pair => pair.place);
            var longest = plans.SelectMany(plan => new[] { plan.Prepare, plan.Steps }).SelectMany(steps => steps.Chunk(StepEmitter.StepsOfMethod))
                .MaxBy(steps => steps.Sum(step => step.Operands.Length + step.Kernel.Numbers.Length))!;
            writer.Open($"internal abstract unsafe class {network.Name} : InferenceNetwork").Line($"private {network.Name}() : base(null!, null, 1, 1) {{ }}");
            new StepEmitter(writer, NetworkClass.KernelsName(Name), groups, parameters, Options).EmitMethod("private void Run()", "Run", longest);
            writer.Close();
        }

        return writer.ToString();
    }

    private static SourceWriter Head()
    {
        var writer = new SourceWriter { IsCompact = true };
        return writer.Line("using System;").Line("using System.Runtime.CompilerServices;").Line("using System.Runtime.Intrinsics;").Line("using System.Runtime.Intrinsics.X86;")
            .Line("using ModelCompiler.Runtime;").Line($"namespace {Options.Namespace};");
    }

    private static Dictionary<string, int> Lengths(string source) =>
        CSharpSyntaxTree.ParseText(source).GetRoot().DescendantNodes(node => node is not BlockSyntax).OfType<MethodDeclarationSyntax>()
            .ToDictionary(method => $"{((TypeDeclarationSyntax)method.Parent!).Identifier.Text}.{method.Identifier.Text}", method => method.Span.Length);
}
