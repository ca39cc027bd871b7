// Every operator with what it does not serve: each argument beyond its limits, and inputs of every rank. What is wrong is said while
// compiling; what is not refused is planned and written, so that nothing fails later.
using System.Globalization;
using ModelCompiler.Evaluation;
using ModelCompiler.Grammar;
using ModelCompiler.Operators;

namespace ModelCompiler.Tests.Operators;

public class BadArgumentTests
{
    /// <summary>Operator, argument, and a value just beyond a limit.</summary>
    public static TheoryData<string, string, string> Limits
    {
        get
        {
            var data = new TheoryData<string, string, string>();
            foreach (var (name, spec) in Catalog.All.Values.SelectMany(o => o.Signature.Arguments.Select(a => (o.Signature.Name, a))))
            {
                // Sizes that a file can hold end before some limits do.
                var values = new[] { spec.Minimum - 1, spec.Maximum + 1 }.Where(v => double.IsFinite(v) && Math.Abs(v) < int.MaxValue);
                foreach (var value in values.Where(_ => spec.Kind is ArgumentKind.Integer or ArgumentKind.Number or ArgumentKind.Dims or ArgumentKind.Padding))
                {
                    data.Add(name, spec.Name, value.ToString("R", CultureInfo.InvariantCulture));
                }
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Limits))]
    public void AnArgumentBeyondItsLimitIsRefused(string name, string argument, string value)
    {
        var text = Text(Catalog.All[name].Signature, "4x6x6", argument, value);
        var error = Assert.Single(Evaluator.Evaluate(new SourceFile("test.cnn", text), (_, _) => null).Diagnostics, d => d.Severity == Severity.Error);
        Assert.Contains(argument, error.Message, StringComparison.Ordinal);
        Assert.Matches("at least|at most|between", error.Message);
        var place = text.IndexOf($"{argument}: {value}", StringComparison.Ordinal);
        Assert.InRange(error.Place.Span.Start, place, place + argument.Length + 2);
    }

    public static TheoryData<string> Names => [.. Catalog.All.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void EveryRankIsServedOrRefused(string name)
    {
        var signature = Catalog.All[name].Signature;
        foreach (var shape in new[] { "[]", "6", "6x6", "4x6x6", "4x3x6x6", "2x3x4x3x3", "2x1x3x2x3x2" })
        {
            var text = Text(signature, shape);
            var evaluated = Evaluator.Evaluate(new SourceFile("test.cnn", text), (_, _) => null);
            var errors = evaluated.Diagnostics.Where(d => d.Severity == Severity.Error).ToList();
            Assert.All(errors, error => Assert.Matches("^CNN[23]", error.Code));
            Assert.Equal(errors.Count == 0, evaluated.Networks.Length == 1);
            foreach (var graph in evaluated.Networks)
            {
                Assert.NotEmpty(Compiler.Emit(graph, new CompilerOptions("Emitted", "", InputGradients: true)));
            }
        }
    }

    private static string Text(Signature signature, string shape, string argument = "", string value = "")
    {
        var names = signature.Inputs.Select((input, i) => $"x{i}").ToList();
        if (signature.Variadic)
        {
            names = ["x0", "x1"];
        }

        var inputs = string.Concat(names.Select(input => $"    input {input}: {shape}\n"));
        var arguments = signature.Arguments.Where(a => a.Default is null && a.Name != argument).Select(a => $"{a.Name}: {Plausible(a)}")
            .Concat(argument.Length > 0 ? [$"{argument}: {value}"] : Array.Empty<string>());
        var call = $"{signature.Name}({string.Join(", ", names.Concat(arguments))})";
        var result = signature.Name is "topk" or "split" ? "y[0]" : "y";
        return $"network N {{\n{inputs}    y = {call}\n    output result = {result}\n}}\n";
    }

    private static string Plausible(ArgumentSpec argument) => argument.Kind switch
    {
        ArgumentKind.Integer or ArgumentKind.Dims => "2",
        ArgumentKind.Number => "1",
        ArgumentKind.Boolean => "true",
        ArgumentKind.Padding => "0",
        ArgumentKind.Word => argument.Words[0],
        ArgumentKind.Initializer => "zeros",
        ArgumentKind.List => argument.Name == "filters" ? "[1, 2, 3, 4]" : argument.Name == "order" ? "[1, 0, 2]" : "[1]",
        ArgumentKind.Shape => "2x2",
        _ => "relu",
    };
}
