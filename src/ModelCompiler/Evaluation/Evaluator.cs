// The door of this room: a file in, its networks as graphs and everything there is to say about it out. It never
// throws: whatever goes wrong inside is reported as a fault of the compiler, at the place it was working on.
using System.Collections.Immutable;
using ModelCompiler.Advice;
using ModelCompiler.Grammar;
using ModelCompiler.Graph;

namespace ModelCompiler.Evaluation;

public static class Evaluator
{
    /// <summary>Evaluates every network of the file that needs no arguments. Networks with a mistake are left out.</summary>
    public static EvaluatedFile Evaluate(SourceFile file, ImportResolver imports) => Evaluate(file, imports, null);

    /// <summary>Evaluates the file and tells what every expression was.</summary>
    public static Inspection Inspect(SourceFile file, ImportResolver imports) => Inspect(file, imports, file);

    /// <summary>Evaluates the file and tells what every expression of <paramref name="seen"/> was, one of the files it uses.</summary>
    public static Inspection Inspect(SourceFile file, ImportResolver imports, SourceFile seen)
    {
        var inspector = new Inspector(seen);
        return new Inspection(Evaluate(file, imports, inspector), inspector.Values);
    }

    private static EvaluatedFile Evaluate(SourceFile file, ImportResolver imports, Inspector? inspector) => DeepStack.Run(() =>
    {
        var reporter = new Reporter();
        var graphs = ImmutableArray.CreateBuilder<NetworkGraph>();
        FileSyntax? syntax = null;
        Guarded(reporter, () => new SourceSpan(file, new TextSpan(0, 0)), () =>
        {
            var files = new FileSet(file, imports, reporter);
            syntax = files.Main.Syntax;
            Evaluate(files, reporter, graphs, inspector);
        });
        var diagnostics = syntax is null ? reporter.Diagnostics : WithoutConsequences(reporter.Diagnostics, syntax);
        return new EvaluatedFile(graphs.ToImmutable(), Sorted(diagnostics, file));
    });

    private static void Evaluate(FileSet files, Reporter reporter, ImmutableArray<NetworkGraph>.Builder graphs, Inspector? inspector)
    {
        foreach (var problem in files.Main.SyntaxErrors)
        {
            reporter.Add(problem);
        }

        foreach (var unit in files.Imported)
        {
            CheckImport(files, unit, reporter);
        }

        new NameCheck(files, files.Main, reporter).Run();
        if (files.Main.Incomplete)
        {
            return;
        }

        foreach (var request in Requests(files, reporter))
        {
            var evaluation = new NetworkEvaluation(files, reporter, inspector);
            Guarded(reporter, () => evaluation.Current, () =>
            {
                if (evaluation.Run(request) is { } graph)
                {
                    graphs.Add(graph);
                    Advisor.Advise(graph, (code, place, message, notes) =>
                        reporter.Add(code, DiagnosticCatalog.Find(code)!.Severity, place, message, null, notes));
                }
            });
        }
    }

    /// <summary>An imported file reports its own mistakes when it is compiled itself; here only the 'use' is marked.</summary>
    private static void CheckImport(FileSet files, FileUnit unit, Reporter reporter)
    {
        var own = new Reporter();
        foreach (var problem in unit.SyntaxErrors)
        {
            own.Add(problem);
        }

        new NameCheck(files, unit, own).Run();
        var first = own.Diagnostics.FirstOrDefault(problem => problem.Severity == Severity.Error);
        if (first is not null && files.UseOf(unit) is { } place)
        {
            files.Main.Incomplete = true;
            reporter.Error("CNN5022", place, $"'{unit.Source.Path}' has {ArgumentBinder.Count(own.Errors, "mistake")} of its own; the first is in line {first.Place.Line}: {first.Message}",
                null, new DiagnosticNote(first.Place, first.Message));
        }
    }

    private static IEnumerable<NetworkRequest> Requests(FileSet files, Reporter reporter)
    {
        foreach (var declaration in files.Main.Syntax.Declarations)
        {
            var request = declaration switch
            {
                NetworkSyntax network when network.Parameters.All(parameter => parameter.Default is not null) =>
                    new NetworkRequest(network.Name, files.Main.Source, network, files.Main.Source, []),
                DerivedNetworkSyntax derived => DerivedNetworks.Resolve(files, derived, reporter),
                _ => null,
            };
            if (request is not null && !files.Unit(request.BodyFile).IsDamaged(request.Body) && !files.Main.IsDamaged(declaration))
            {
                yield return request;
            }
        }
    }

    private static void Guarded(Reporter reporter, Func<SourceSpan> current, Action work)
    {
        try
        {
            work();
        }
        catch (BudgetException exceeded)
        {
            reporter.Error(exceeded.Code, exceeded.Place, exceeded.Message);
        }
        catch (Exception fault)
        {
            reporter.Add(Fault.Of(fault, current()));
        }
    }

    /// <summary>A name is often unused because of a mistake beside it: that mistake is enough to say.</summary>
    private static ImmutableArray<Diagnostic> WithoutConsequences(ImmutableArray<Diagnostic> diagnostics, FileSyntax file)
    {
        var faulty = file.Declarations.Where(declaration => diagnostics.Any(diagnostic =>
            diagnostic.Severity == Severity.Error && diagnostic.Place.File == file.Source && Within(diagnostic, declaration))).ToList();
        return [.. diagnostics.Where(diagnostic => diagnostic.Code != "CNN4004" || !faulty.Any(declaration => Within(diagnostic, declaration)))];

        static bool Within(Diagnostic diagnostic, SyntaxNode node) =>
            diagnostic.Place.Span.Start >= node.Span.Start && diagnostic.Place.Span.Start <= node.Span.End;
    }

    /// <summary>In the order of the text, other files last.</summary>
    private static ImmutableArray<Diagnostic> Sorted(ImmutableArray<Diagnostic> diagnostics, SourceFile file) =>
    [
        .. diagnostics.OrderBy(diagnostic => diagnostic.Place.File.Path == file.Path ? 0 : 1)
            .ThenBy(diagnostic => diagnostic.Place.File.Path, StringComparer.Ordinal)
            .ThenBy(diagnostic => diagnostic.Place.Span.Start)
            .ThenBy(diagnostic => diagnostic.Code, StringComparer.Ordinal),
    ];
}
