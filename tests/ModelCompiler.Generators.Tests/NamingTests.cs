// Names of generated files and namespaces, and the meaning of paths in `use`.
using Microsoft.CodeAnalysis.CSharp;
using ModelCompiler.Grammar;

namespace ModelCompiler.Generators.Tests;

public class NamingTests
{
    [Theory]
    [InlineData("Shop.Vision", "Shop.Vision")]
    [InlineData("my-app", "my_app")]
    [InlineData("2d.nets", "_2d.nets")]
    [InlineData("app.class", "app.@class")]
    [InlineData("app..x.", "app.x")]
    [InlineData(null, "shop")]
    public void TheNamespaceIsTheRootNamespaceElseTheAssemblysName(string? rootNamespace, string expected)
    {
        CompilerOptions? seen = null;
        CompilationResult Compile(SourceFile file, ImportResolver imports, CompilerOptions options)
        {
            seen = options;
            return new CompilationResult([], []);
        }

        new GeneratorHost(Compile, rootNamespace: rootNamespace).With("a.cnn", "").Run();

        Assert.Equal(expected, seen!.Namespace);
    }

    [Theory]
    [InlineData("a.cnn", "")]
    [InlineData("Models/a.cnn", "Models/")]
    [InlineData("Models/deep one/a.cnn", "Models/deep_one/")]
    [InlineData("../elsewhere/a.cnn", "")]
    public void GeneratedFilesCarryTheFolder(string path, string expected) =>
        Assert.Equal(expected, new NamingOptions("N", "/project/").HintPrefix("/project/" + path));

    [Theory]
    [InlineData("/p/Models/a.cnn", "units.cnn", "/p/Models/units.cnn")]
    [InlineData("/p/Models/a.cnn", "common/units.cnn", "/p/Models/common/units.cnn")]
    [InlineData("/p/Models/a.cnn", "../units.cnn", "/p/units.cnn")]
    [InlineData("/p/Models/a.cnn", "./x/../units.cnn", "/p/Models/units.cnn")]
    [InlineData("/p/Models/a.cnn", "/q/units.cnn", "/q/units.cnn")]
    [InlineData(@"C:\p\Models\a.cnn", @"..\units.cnn", "C:/p/units.cnn")]
    [InlineData("a.cnn", "units.cnn", "units.cnn")]
    [InlineData("a.cnn", "../../units.cnn", "../../units.cnn")]
    public void ImportsAreRelativeToTheirFile(string from, string import, string expected) =>
        Assert.Equal(expected, ImportPath.Resolve(from, import));

    [Fact]
    public void ACycleOfImportsEnds()
    {
        var closures = new List<string>();
        CompilationResult Compile(SourceFile file, ImportResolver imports, CompilerOptions options)
        {
            closures.Add(string.Join(" ", new[] { "a.cnn", "b.cnn", "c.cnn" }.Where(name => imports(file.Path, name) is not null)));
            return new CompilationResult([], []);
        }

        new GeneratorHost(Compile).With("a.cnn", "use \"b.cnn\"\nblock A { out in }").With("b.cnn", "use \"a.cnn\"\nblock B { out in }").With("c.cnn", "block C { out in }").Run();

        Assert.Equal(["a.cnn b.cnn", "a.cnn b.cnn", "c.cnn"], closures);
    }
}
