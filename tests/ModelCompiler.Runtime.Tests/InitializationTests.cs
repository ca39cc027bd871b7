// Initial weights: their distributions, and that they are the same everywhere.
namespace ModelCompiler.Runtime.Tests;

public class InitializationTests
{
    private const int Rows = 200;
    private const int Columns = 300;

    [Theory]
    [InlineData(InitializerKind.FanInUniform, 0, 0.0577350, 0.0333333)]
    [InlineData(InitializerKind.Uniform, 0.5, 0.5, 0.288675)]
    [InlineData(InitializerKind.XavierUniform, 2, 0.2190890, 0.1264911)]
    [InlineData(InitializerKind.KaimingUniform, 1.5, 0.15, 0.0866025)]
    [InlineData(InitializerKind.Normal, 0.02, double.NaN, 0.02)]
    [InlineData(InitializerKind.XavierNormal, 1, double.NaN, 0.0632456)]
    [InlineData(InitializerKind.KaimingNormal, 1.4142136, double.NaN, 0.0816497)]
    public void BoundsAndDeviationsAreTheDefinitions(InitializerKind kind, float value, double bound, double deviation)
    {
        var weights = Fill(kind, value, [Rows, Columns]);
        Assert.InRange(weights.Average(), -4 * deviation / Math.Sqrt(weights.Length), 4 * deviation / Math.Sqrt(weights.Length));
        Assert.InRange(Math.Sqrt(weights.Average(w => (double)w * w)), deviation * 0.985, deviation * 1.015);
        if (!double.IsNaN(bound))
        {
            Assert.InRange(weights.Max(Math.Abs), bound * 0.999, bound * 1.000001);
        }
    }

    [Theory]
    [InlineData(3, 8)]
    [InlineData(8, 3)]
    [InlineData(5, 5)]
    public void OrthogonalRowsOrColumnsAreOrthonormal(int rows, int columns)
    {
        var w = Fill(InitializerKind.Orthogonal, 2, [rows, columns]);
        var (count, length) = (Math.Min(rows, columns), Math.Max(rows, columns));
        float At(int vector, int k) => rows <= columns ? w[(vector * columns) + k] : w[(k * columns) + vector];
        for (var a = 0; a < count; a++)
        {
            for (var b = 0; b < count; b++)
            {
                Assert.Equal(a == b ? 4 : 0, Enumerable.Range(0, length).Sum(k => At(a, k) * At(b, k)), 1e-5f);
            }
        }
    }

    [Fact]
    public void ConstantFillsAndSeedsMatter()
    {
        Assert.All(Fill(InitializerKind.Constant, 1, [7]), value => Assert.Equal(1, value));
        Assert.Equal(Fill(InitializerKind.Normal, 1, [9]), Fill(InitializerKind.Normal, 1, [9]));
        Assert.NotEqual(Fill(InitializerKind.Normal, 1, [9]), Fill(InitializerKind.Normal, 1, [9], seed: 2));
        Assert.NotEqual(Fill(InitializerKind.Normal, 1, [9]), Fill(InitializerKind.Normal, 1, [9], name: "other"));
    }

    [Fact]
    public void BitsAreFixed()
    {
        Assert.Equal([1029975356u, 1016478011u, 1029791205u], Fill(InitializerKind.FanInUniform, 0, [3]).Select(BitConverter.SingleToUInt32Bits).ToArray());
        Assert.Equal([1047357638u, 3181780736u, 1054680511u], Fill(InitializerKind.Normal, 1, [3]).Select(BitConverter.SingleToUInt32Bits).ToArray());
        Assert.Equal([1064411996u, 3198751874u, 1051268226u, 1064411996u], Fill(InitializerKind.Orthogonal, 1, [2, 2]).Select(BitConverter.SingleToUInt32Bits).ToArray());
    }

    private static float[] Fill(InitializerKind kind, float value, int[] shape, ulong seed = 1, string name = "weight")
    {
        var info = new ParameterInfo(name, shape, 0, true, kind, value, Columns, Rows);
        var floats = (info.Count + 15) / 16 * 16;
        using var set = new ParameterSet(new NetworkInfo("N", [], [], [], [info], [], floats, floats, 0, 0));
        set.Initialize(seed);
        return set[name].ToArray();
    }
}
