// Blocks inside blocks and networks: they see the names around them, have an input of their own, and are seen by nobody
// outside.
using static ModelCompiler.Tests.Evaluation.Evaluating;

namespace ModelCompiler.Tests.Evaluation;

public class LocalBlockTests
{
    [Fact]
    public void SeesTheNamesOfTheNetworkAroundIt()
    {
        var graph = Network("""
            network N(width = 8) {
                input x: 3x6x6
                twice = 2 * width
                block Unit(k) { out in -> conv(twice, k) -> relu }
                output y = x -> first: Unit(3x3) -> second: Unit(1x1)
            }
            """);
        Assert.Equal("16x4x4", OutputShape(graph));
        Assert.Equal(["first.conv1.weight", "first.conv1.bias", "second.conv1.weight", "second.conv1.bias"], ParameterNames(graph));
    }

    [Fact]
    public void HasAnInputOfItsOwnAndMayRecurse()
    {
        var graph = Network("""
            block Outer(n) {
                channels = in.channels
                block Down(depth) { out if depth == 0 then in else in -> conv(channels + in.channels, 3x3) -> Down(depth - 1) }
                out in -> Down(n)
            }
            network N {
                input x: 3x9x9
                output y = x -> Outer(2)
            }
            """);
        Assert.Equal("9x5x5", OutputShape(graph));
    }

    [Fact]
    public void IsNotSeenOutside() => Assert.Equal(
        ["7,21 CNN2001 unknown block 'Inner'; a block of another file needs its 'use \"file.cnn\"'"],
        Errors("""
            block Outer {
                block Inner { out in -> relu }
                out in -> Inner
            }
            network N {
                input x: 3x9x9
                output y = x -> Inner
            }
            """));

    [Fact]
    public void ItsMistakesAreFound() => Assert.Equal(
        ["3,28 CNN2001 unknown name 'absent'", "4,11 CNN2029 block 'Second' has no result; end it with 'out', as in 'out in -> relu'", "5,11 CNN2027 'First' is defined already in line 3; names are bound once"],
        Errors("""
            network N {
                input x: 3x9x9
                block First { out in + absent }
                block Second { a = 1 }
                block First { out in }
                output y = x -> First -> Second
            }
            """));

    [Fact]
    public void IsMissedWhenNothingUsesIt() =>
        Assert.Contains("CNN4004", File("network N {\n input x: 3x9x9\n block A { out in }\n output y = x -> relu\n}").Diagnostics.Select(diagnostic => diagnostic.Code));
}
