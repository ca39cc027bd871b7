// The pipeline on one screen: text → syntax → graph → gradient → plan → C#.
using System.Collections.Immutable;
using ModelCompiler.Emission;
using ModelCompiler.Evaluation;
using ModelCompiler.Grammar;
using ModelCompiler.Graph;
using ModelCompiler.Planning;

namespace ModelCompiler;

/// <summary>Finds the text of imported files; the host decides where they may come from. Returns null when there is none.</summary>
public delegate SourceFile? ImportResolver(string fromPath, string importPath);

/// <summary>A network ready to be planned, or to be looked at.</summary>
public sealed record EvaluatedFile(ImmutableArray<NetworkGraph> Networks, ImmutableArray<Diagnostic> Diagnostics);

/// <summary>C# for one network.</summary>
/// <param name="HintName">File name that is unique in the project: carries the folder.</param>
public sealed record EmittedNetwork(string Name, string HintName, string Source);

/// <param name="Namespace">Of the generated classes; empty for none.</param>
/// <param name="HintPrefix">Put before hint names: carries the folder.</param>
/// <param name="InputGradients">Training also computes gradients of the inputs.</param>
/// <param name="LineDirectives">Map steps to lines of the `.cnn` file.</param>
/// <param name="MemoryBudget">Bytes that the activations of one sample should fit into in inference; null for no limit.</param>
/// <param name="TrainingMemoryBudget">The same for training, which keeps what the gradient needs.</param>
/// <param name="Tuning">Measured choices of kernels, the file beside the `.cnn` file; null where there is none.</param>
/// <param name="Strict">Refuses Winograd's and Strassen's algorithms, which round more than direct convolution.</param>
public sealed record CompilerOptions(
    string Namespace, string HintPrefix, bool InputGradients = false, bool LineDirectives = true, long? MemoryBudget = null, long? TrainingMemoryBudget = null,
    Tuning? Tuning = null, bool Strict = false);

public sealed record CompilationResult(ImmutableArray<EmittedNetwork> Networks, ImmutableArray<Diagnostic> Diagnostics);

public static class Compiler
{
    /// <summary>All networks of a file as C#; none where the file has errors. Each network is two sources: the class, and its kernels.</summary>
    public static CompilationResult Compile(SourceFile file, ImportResolver imports, CompilerOptions options)
    {
        var evaluated = Evaluator.Evaluate(file, imports);
        var sources = ImmutableArray.CreateBuilder<EmittedNetwork>();
        var diagnostics = evaluated.Diagnostics;
        if (!HasErrors(diagnostics))
        {
            if (options.Tuning is { } tuning)
            {
                diagnostics = diagnostics.AddRange(tuning.Diagnostics).AddRange(tuning.Foreign([.. evaluated.Networks.Select(n => (n.Name, n.Loss is not null))]));
            }

            foreach (var network in evaluated.Networks)
            {
                if (Guarded(network, () => sources.AddRange(Emit(network, options, advice => diagnostics = diagnostics.Add(advice)))) is { } failure)
                {
                    diagnostics = diagnostics.Add(failure);
                }
            }
        }

        return new CompilationResult(HasErrors(diagnostics) ? ImmutableArray<EmittedNetwork>.Empty : sources.ToImmutable(), diagnostics);
    }

    /// <summary>What to report when <paramref name="emit"/> failed; null when it did not.</summary>
    internal static Diagnostic? Guarded(NetworkGraph network, Action emit)
    {
        try
        {
            emit();
            return null;
        }
        catch (OverflowException)
        {
            return MemoryBudget.Exceeded(network);
        }
        catch (Exception fault)
        {
            return Fault.Of(fault, network.Place);
        }
    }

    /// <param name="advise">Told what the plans are worth a warning for.</param>
    /// <exception cref="OverflowException">One sample does not fit into the addresses that emitted code has.</exception>
    public static ImmutableArray<EmittedNetwork> Emit(NetworkGraph network, CompilerOptions options, Action<Diagnostic>? advise = null)
    {
        var (inferenceTuning, trainingTuning) = (options.Tuning?.For(network.Name, training: false), options.Tuning?.For(network.Name, training: true));
        var (inference, training) = OnAllCores.Both(
            () => Planner.ForInference(network, !options.Strict, inferenceTuning),
            () => network.Loss is null ? null : Planner.ForTraining(network, options.InputGradients, !options.Strict, trainingTuning));
        MemoryBudget.Check(network, inference, options.MemoryBudget, advise);
        MemoryBudget.Check(network, training, options.TrainingMemoryBudget, advise);
        foreach (var unused in Unused(inferenceTuning, inference).Concat(Unused(trainingTuning, training)))
        {
            advise?.Invoke(unused);
        }

        return Emit(network, inference, training, options);
    }

    /// <summary>The sources of products that are planned already.</summary>
    /// <param name="training">Null for a network that is not trained.</param>
    public static ImmutableArray<EmittedNetwork> Emit(NetworkGraph network, Plan inference, Plan? training, CompilerOptions options)
    {
        var steps = inference.Prepare.Concat(inference.Steps).Concat(training is null ? [] : training.Prepare.Concat(training.Steps));
        var kernels = KernelGroup.Of(steps.SelectMany(s => s.Kernels));
        var (networkClass, kernelsFile) = OnAllCores.Both(
            () => new NetworkClass(network, inference, training, kernels, options).Emit(),
            () => KernelsFile.Emit(network.Name, kernels, options));
        return
        [
            new EmittedNetwork(network.Name, $"{options.HintPrefix}{network.Name}.g.cs", networkClass),
            new EmittedNetwork(network.Name, $"{options.HintPrefix}{network.Name}.Kernels.g.cs", kernelsFile),
        ];
    }

    private static IEnumerable<Diagnostic> Unused(TuningOfPlan? tuning, Plan? plan) => tuning is null || plan is null ? [] : tuning.Unused(plan.Choices);

    private static bool HasErrors(ImmutableArray<Diagnostic> diagnostics) => diagnostics.Any(d => d.Severity == Severity.Error);
}
