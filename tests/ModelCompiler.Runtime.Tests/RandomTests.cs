// Numbers that other code, other platforms and later versions must repeat to the bit.
using System.Runtime.Intrinsics;

namespace ModelCompiler.Runtime.Tests;

public class RandomTests
{
    [Fact]
    public void DropoutKeysAndValuesAreFixed()
    {
        // The emitted code computes the same formula; these pin it.
        Assert.Equal([556823690u, 862728789u, 4229870939u], new[] { RandomBits.Key(0, 0, 0, 0), RandomBits.Key(1, 2, 3, 4), RandomBits.Key(ulong.MaxValue, long.MaxValue, 255, 1_000_000) });
        Assert.Equal([0f, 130277f / (1 << 24), 10462786f / (1 << 24)], new[] { RandomBits.Value(0, 0), RandomBits.Value(0, 1), RandomBits.Value(0xDEADBEEF, 12345) });
    }

    [Fact]
    public void VectorsDrawTheSameNumbers()
    {
        var key = RandomBits.Key(3, 1, 4, 1);
        for (var element = 0; element < 1024; element += 16)
        {
            var expected = Enumerable.Range(element, 16).Select(i => RandomBits.Value(key, i)).ToArray();
            var wide = VectorMath.Uniform(Vector512.Create(key), Vector512<uint>.Indices + Vector512.Create((uint)element));
            var half = VectorMath.Uniform(Vector256.Create(key), Vector256<uint>.Indices + Vector256.Create((uint)element));
            var quarter = VectorMath.Uniform(Vector128.Create(key), Vector128<uint>.Indices + Vector128.Create((uint)element));
            for (var lane = 0; lane < 16; lane++)
            {
                Assert.Equal(expected[lane], wide[lane]);
                Assert.Equal(expected[lane % 8], half[lane % 8]);
                Assert.Equal(expected[lane % 4], quarter[lane % 4]);
            }
        }
    }

    [Fact]
    public void GeneratorIsFixed()
    {
        var random = new RandomGenerator(42);
        Assert.Equal([1865750160070900731ul, 6791145067590612263ul, 14118064813682728970ul], new[] { random.NextUInt64(), random.NextUInt64(), random.NextUInt64() });
    }

    [Fact]
    public void ValuesAreUniform()
    {
        var bins = new int[16];
        for (var sample = 0; sample < 64; sample++)
        {
            var key = RandomBits.Key(7, 3, 1, sample);
            for (var element = 0; element < 1024; element++)
            {
                var value = RandomBits.Value(key, element);
                Assert.InRange(value, 0, 1 - (1f / (1 << 24)));
                bins[(int)(value * 16)]++;
            }
        }

        // 65,536 draws in 16 bins; 15 degrees of freedom: chi-square stays below 37.7 in 999 of 1000 cases.
        var chi = bins.Sum(count => (count - 4096.0) * (count - 4096.0) / 4096);
        Assert.InRange(chi, 0, 37.7);
    }

    [Fact]
    public void NormalNumbersHaveTheirMoments()
    {
        var random = new RandomGenerator(3);
        var draws = Enumerable.Range(0, 100_000).Select(_ => random.NextNormal()).ToArray();
        Assert.InRange(draws.Average(), -0.015, 0.015);
        Assert.InRange(draws.Average(x => x * x), 0.97, 1.03);
        Assert.InRange(draws.Average(x => x * x * x * x), 2.85, 3.15);
    }

    [Fact]
    public void PortableLogarithmIsAccurate()
    {
        foreach (var x in new[] { 1e-300, 1e-17, 0.1, 0.7071, 0.999999, 1, 1.000001, 1.4142, 1.4143, 2, 10, 1e200 })
        {
            Assert.Equal(Math.Log(x), PortableMath.Log(x), Math.Abs(Math.Log(x)) * 1e-14);
        }
    }

    [Fact]
    public void ShuffleIsAPermutationAndDependsOnTheSeed()
    {
        int[] Shuffled(ulong seed)
        {
            var items = Enumerable.Range(0, 100).ToArray();
            new RandomGenerator(seed).Shuffle<int>(items);
            return items;
        }

        Assert.Equal(Enumerable.Range(0, 100), Shuffled(1).Order());
        Assert.Equal(Shuffled(1), Shuffled(1));
        Assert.NotEqual(Shuffled(1), Shuffled(2));
    }

    [Fact]
    public void BoundedNumbersAreUnbiased()
    {
        var random = new RandomGenerator(9);
        var counts = new int[3];
        for (var i = 0; i < 30_000; i++)
        {
            counts[random.Next(3)]++;
        }

        Assert.All(counts, count => Assert.InRange(count, 9_650, 10_350));
        Assert.Throws<ArgumentOutOfRangeException>(() => random.Next(0));
    }

    [Fact]
    public void ReseedingBeginsAgain()
    {
        var random = new RandomGenerator(5, 2);
        var first = random.NextUInt64();
        random.NextUInt64();
        random.Reseed(5, 2);
        Assert.Equal(first, random.NextUInt64());
        random.Reseed(5, 3);
        Assert.NotEqual(first, random.NextUInt64());
    }

    [Theory]
    [InlineData(0.3)]
    [InlineData(1)]
    [InlineData(7.5)]
    public void GammaHasItsMeanAndVariance(double shape)
    {
        var random = new RandomGenerator(4);
        var values = Enumerable.Range(0, 40_000).Select(_ => random.NextGamma(shape)).ToArray();
        Assert.Equal(shape, values.Average(), 0.03 * Math.Sqrt(shape) + 0.01);
        Assert.Equal(shape, values.Average(v => (v - shape) * (v - shape)), 0.08 * shape + 0.02);
        Assert.All(values, value => Assert.True(value >= 0));
    }

    [Fact]
    public void BetaHasItsMeanAndVariance()
    {
        var random = new RandomGenerator(4);
        var values = Enumerable.Range(0, 40_000).Select(_ => random.NextBeta(0.4, 0.4)).ToArray();
        Assert.Equal(0.5, values.Average(), 0.01);
        Assert.Equal(1 / (4 * 1.8), values.Average(v => (v - 0.5) * (v - 0.5)), 0.005);
        Assert.All(values, value => Assert.InRange(value, 0, 1));
    }

    [Fact]
    public void ExponentialsAreExactToTheLastDigits()
    {
        for (var x = -700.0; x < 20; x += 0.37)
        {
            var expected = x < -690 ? 0 : Math.Exp(x);
            Assert.Equal(expected, PortableMath.Exp(x), 1e-13 * expected);
        }
    }
}
