// A network may not take the name of a type that its own code needs: every type that emitted code names is refused.
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using ModelCompiler.Evaluation;
using ModelCompiler.Grammar;

namespace ModelCompiler.Tests.Emission;

public class ClassNameTests
{
    private const string Text = """
        network Net {
            input image: 3x9x9
            target label: class
            logits = image -> conv(4, 3x3) -> batchnorm -> gelu -> depthwise(3x3, pad: 1) -> maxpool(2) -> dropout(0.5) -> flatten -> dense(3)
            output probabilities = logits -> softmax
            loss cross_entropy(logits, label)
        }
        """;

    [Fact]
    public void TypesThatEmittedCodeNamesAreNoNamesForNetworks()
    {
        var emitted = Compiler.Compile(new SourceFile("test.cnn", Text), (_, _) => null, new CompilerOptions("Emitted", "")).Networks;
        var compilation = CompiledText.Compilation(emitted);
        var types = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var tree in compilation.SyntaxTrees)
        {
            // One use of a name stands for all of them: binding thousands takes minutes.
            var model = compilation.GetSemanticModel(tree);
            var names = tree.GetRoot().DescendantNodes().OfType<SimpleNameSyntax>().Where(name => char.IsUpper(name.Identifier.Text[0]))
                .Where(name => name.Parent is not (QualifiedNameSyntax or AttributeSyntax) && !(name.Parent is MemberAccessExpressionSyntax access && access.Name == name));
            types.UnionWith(names.GroupBy(name => name.Identifier.Text).Select(group => group.First())
                .Where(name => model.GetSymbolInfo(name).Symbol is INamedTypeSymbol type && !SymbolEqualityComparer.Default.Equals(type.ContainingAssembly, compilation.Assembly))
                .Select(name => name.Identifier.Text));
        }

        Assert.Contains("InferenceNetwork", types);
        Assert.Equal([], types.Where(name => ClassNames.Problem(name) is null));
    }

    [Fact]
    public void WordsOfCSharpAreNoNamesForNetworks()
    {
        var reserved = SyntaxFacts.GetReservedKeywordKinds().Select(kind => SyntaxFacts.GetText(kind));
        Assert.Equal([], reserved.Where(word => char.IsLetter(word[0]) && ClassNames.Problem(word) is null));
    }
}
