// Notes lead from a mistake to the uses and values that caused it.
using static ModelCompiler.Tests.Evaluation.Evaluating;

namespace ModelCompiler.Tests.Evaluation;

public class NoteTests
{
    [Fact]
    public void AMistakeInABlockNamesTheChainOfUsesNearestFirst()
    {
        var notes = Notes("""
            block Inner(k) { out in -> conv(4, k) }
            block Outer(k) { out in -> Inner(k) }
            network Base(k) {
                input x: 2x5x5
                output y = x -> Outer(k)
            }
            network Derived = Base(7)
            """);
        Assert.Equal(["2: block 'Inner' is used here", "5: block 'Outer' is used here", "7: network 'Derived' is derived here"], notes);
    }

    [Fact]
    public void AMistakeInARecipeNamesItsUse() => Assert.Equal(
        ["4: 'unit' is used here"],
        Notes("network N {\n input x: 2x5x5\n unit = conv(4, 7x7)\n output y = x -> unit\n}"));

    [Fact]
    public void ASumNamesWhereItsShapesComeFrom() => Assert.Equal(
        ["3: 4x5x5 comes from 'a'", "4: 4x3x3 comes from 'b'"],
        Notes("network N {\n input x: 2x5x5\n a = x -> conv(4, 1x1)\n b = x -> conv(4, 3x3)\n output y = a + b\n}"));

    [Fact]
    public void AMistakeOfABlockIsReportedOnceForAllItsUses()
    {
        var file = File("""
            block Unit(k) { out in -> conv(4, k) -> relu }
            network A { input x: 2x5x5
                        output y = x -> Unit(9) + (x -> Unit(9)) }
            network B { input x: 2x5x5
                        output y = x -> Unit(9) }
            """);
        Assert.Single(file.Diagnostics);
        Assert.Empty(file.Networks);
    }

    private static string[] Notes(string text) =>
        Assert.Single(File(text).Diagnostics).Notes.Select(note => $"{note.Place.Line}: {note.Message}").ToArray();
}
