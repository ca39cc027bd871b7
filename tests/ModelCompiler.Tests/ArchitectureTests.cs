// The rooms of the repository and the doors between them. Text flows one way: grammar, evaluation, graph, gradient,
// plan, code; a shortcut that is easy to type today makes tomorrow's change cost three files.
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace ModelCompiler.Tests;

public partial class ArchitectureTests
{
    private const int LongestFile = 400;

    [Theory]
    [InlineData("grammar/ModelCompiler.Grammar", "")]
    [InlineData("src/ModelCompiler", "ModelCompiler.Grammar")]
    [InlineData("src/ModelCompiler.Runtime", "")]
    [InlineData("src/ModelCompiler.Tool", "ModelCompiler ModelCompiler.Runtime")]
    [InlineData("generators/ModelCompiler.Generators", "ModelCompiler")]
    public void ProjectsReferenceOnlyWhatStandsBeforeThem(string folder, string expected)
    {
        var project = XDocument.Load(Repository.File(folder, Path.GetFileName(folder) + ".csproj"));
        var references = project.Descendants("ProjectReference").Select(reference => Path.GetFileNameWithoutExtension(reference.Attribute("Include")!.Value));

        Assert.Equal(expected, string.Join(' ', references.Order(StringComparer.Ordinal)));
    }

    [Fact]
    public void TheRuntimeNeedsNoPackage() =>
        Assert.DoesNotContain("PackageReference", File.ReadAllText(Repository.File("src", "ModelCompiler.Runtime", "ModelCompiler.Runtime.csproj")), StringComparison.Ordinal);

    [Theory]
    [InlineData("Graph", "Operators")] // GraphText names operators' attributes
    [InlineData("Operators", "Graph")]
    [InlineData("Gradient", "Graph Operators")]
    [InlineData("Advice", "Graph Operators")]
    [InlineData("Evaluation", "Graph Operators Advice")]
    [InlineData("Kernels", "Graph Operators Planning Emission")]
    [InlineData("Planning", "Graph Operators Gradient Kernels Emission")]
    [InlineData("Emission", "Graph Operators Gradient Planning Kernels")]
    public void RoomsOfTheCompilerUseOnlyTheirNeighbours(string room, string allowed)
    {
        var mayUse = allowed.Split(' ').Append(room).ToHashSet();
        foreach (var path in SourcesUnder("src/ModelCompiler/" + room))
        {
            foreach (Match use in RoomName().Matches(File.ReadAllText(path)))
            {
                Assert.True(mayUse.Contains(use.Groups[1].Value), $"{path} uses {use.Value}; {room} may use {allowed}");
            }
        }
    }

    [Fact]
    public void TheRuntimeKnowsNothingOfTheCompiler()
    {
        foreach (var path in SourcesUnder("src/ModelCompiler.Runtime"))
        {
            Assert.DoesNotMatch(RoomName(), File.ReadAllText(path));
        }
    }

    [Fact]
    public void FilesOpenWithTheReasonTheyExistAndStayShort()
    {
        var faults = new[] { "grammar", "src", "generators" }.SelectMany(SourcesUnder).Select(path =>
        {
            var lines = File.ReadAllLines(path);
            return !lines[0].TrimStart('\uFEFF').StartsWith("//", StringComparison.Ordinal) ? $"{path} does not open with a comment that says why it exists"
                : lines.Length > LongestFile ? $"{path} has {lines.Length} lines, more than {LongestFile}"
                : null;
        }).Where(fault => fault is not null);

        Assert.Empty(faults);
    }

    private static IEnumerable<string> SourcesUnder(string folder) =>
        Directory.EnumerateFiles(Repository.File(folder), "*.cs", SearchOption.AllDirectories)
            .Where(path => !path.Contains("/obj/", StringComparison.Ordinal) && !path.Contains(@"\obj\", StringComparison.Ordinal)
                && !path.Contains("/bin/", StringComparison.Ordinal) && !path.Contains(@"\bin\", StringComparison.Ordinal));

    [GeneratedRegex(@"\bModelCompiler\.(Graph|Operators|Gradient|Advice|Evaluation|Kernels|Planning|Emission)\b")]
    private static partial Regex RoomName();
}
