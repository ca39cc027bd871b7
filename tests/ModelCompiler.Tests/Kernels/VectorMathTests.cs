// The vector functions against double precision over dense grids: the distance is counted in units of the
// last place of the float nearest to the exact value.
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using ModelCompiler.Runtime;
using ModelCompiler.Tests.Oracle;
using Xunit.Abstractions;

namespace ModelCompiler.Tests.Kernels;

public class VectorMathTests(ITestOutputHelper output)
{
    private const float Inf = float.PositiveInfinity;

    [Fact]
    [OnEveryHardware]
    public void ExpIsAccurate() => Check("Exp", VectorMath.Exp, VectorMath.Exp, VectorMath.Exp, Math.Exp, -110, 90, 2, [0f, -0f, 1e-30f, -1e-30f, 88.7f, 88.8f, 1e30f, -1e30f, Inf, -Inf, float.NaN]);

    [Fact]
    public void ExpOrZeroIsAccurate() => Check(
        "ExpOrZero", VectorMath.ExpOrZero, VectorMath.ExpOrZero, VectorMath.ExpOrZero, x => x < -80 ? 0 : Math.Exp(x), -110, 0, 2, [0f, -0f, -1e-30f, -80f, -80.01f, -1e30f, -Inf, float.NaN]);

    [Fact]
    public void TheThreeWidthsAreOneText()
    {
        var wide = Body(512);
        Assert.Equal(wide.Replace("Vector512", "Vector256"), Body(256));
        Assert.Equal(wide.Replace("Vector512", "Vector128"), Body(128));

        static string Body(int width, [CallerFilePath] string here = "")
        {
            var text = File.ReadAllText(Path.Combine(Path.GetDirectoryName(here)!, "../../../src/ModelCompiler.Runtime", $"VectorMath.{width}.cs"));
            return text[text.IndexOf("using System", StringComparison.Ordinal)..];
        }
    }

    [Fact]
    [OnEveryHardware]
    public void LogIsAccurate()
    {
        Check("Log", VectorMath.Log, VectorMath.Log, VectorMath.Log, Math.Log, 1e-6, 4, 2, [0f, -0f, 1e-45f, 1e-40f, 1.17549435e-38f, 1e30f, float.MaxValue, Inf, -1f, -Inf, float.NaN]);
        Check("Log", VectorMath.Log, VectorMath.Log, VectorMath.Log, Math.Log, 0, 1e9, 2, []);
    }

    [Fact]
    public void Log1pIsAccurate()
    {
        Check("Log1p", VectorMath.Log1p, VectorMath.Log1p, VectorMath.Log1p, Log1p, -0.9999, 4, 3, [0f, -0f, 1e-45f, 1e-10f, -1e-10f, -1f, -2f, 1e30f, float.MaxValue, Inf, float.NaN]);
        Check("Log1p", VectorMath.Log1p, VectorMath.Log1p, VectorMath.Log1p, Log1p, -1e-3, 1e-3, 3, []);
    }

    [Fact]
    [OnEveryHardware]
    public void TanhIsAccurate() => Check("Tanh", VectorMath.Tanh, VectorMath.Tanh, VectorMath.Tanh, Math.Tanh, -10, 10, 2, [0f, -0f, 1e-45f, 1e-20f, 30f, -30f, 1e30f, Inf, -Inf, float.NaN]);

    [Fact]
    public void SigmoidIsAccurate() => Check("Sigmoid", VectorMath.Sigmoid, VectorMath.Sigmoid, VectorMath.Sigmoid, x => 1 / (1 + Math.Exp(-x)), -106, 40, 3, [0f, -0f, 1e30f, -1e30f, Inf, -Inf, float.NaN]);

    [Fact]
    [OnEveryHardware]
    public void NormalCdfIsAccurate() => Check(
        "NormalCdf", VectorMath.NormalCdf, VectorMath.NormalCdf, VectorMath.NormalCdf, FormulaValues.NormalCdf, -12, 12, 2,
        [0f, -0f, 1e-45f, 1e-30f, -9.97f, -9.98f, 1e30f, -1e30f, Inf, -Inf, float.NaN], 1.2e-7);

    [Fact]
    [OnEveryHardware]
    public void SinAndCosAreAccurate()
    {
        float[] special = [0f, -0f, 1e-30f, 9000f, 1e6f, -1e20f, Inf, -Inf, float.NaN];
        Check("Sin", VectorMath.Sin, VectorMath.Sin, VectorMath.Sin, Math.Sin, -10, 10, 2, special, 2e-8);
        Check("Cos", VectorMath.Cos, VectorMath.Cos, VectorMath.Cos, Math.Cos, -10, 10, 2, special, 2e-8);
        Check("Sin", VectorMath.Sin, VectorMath.Sin, VectorMath.Sin, Math.Sin, -8192, 8192, 3, [], 2e-8);
        Check("Cos", VectorMath.Cos, VectorMath.Cos, VectorMath.Cos, Math.Cos, -8192, 8192, 3, [], 2e-8);
    }

    [Fact]
    public void AtanIsAccurate()
    {
        Check("Atan", VectorMath.Atan, VectorMath.Atan, VectorMath.Atan, Math.Atan, -4, 4, 3, [0f, -0f, 1e-45f, 1e-30f, 1e30f, Inf, -Inf, float.NaN]);
        Check("Atan", VectorMath.Atan, VectorMath.Atan, VectorMath.Atan, Math.Atan, -1e4, 1e4, 2, []);
    }

    [Fact]
    public void PowIsAccurate()
    {
        foreach (var y in new[] { 0.75f, -0.75f, 2f, 3f, 0.1f, 1.7f, -20f, 1e-3f })
        {
            Check($"Pow {y}", x => VectorMath.Pow(x, Vector128.Create(y)), x => VectorMath.Pow(x, Vector256.Create(y)), x => VectorMath.Pow(x, Vector512.Create(y)), x => Math.Pow(x, y), 1e-3, 50, 2, [1e-45f, 1e-39f, 1e30f, float.MaxValue]);
        }
    }

    [Fact]
    public void PowKnowsItsSpecialCases()
    {
        float[] bases = [0f, -0f, 1f, -1f, 2f, -2f, 0.3f, 1e30f, Inf, -Inf, float.NaN];
        foreach (var x in bases)
        {
            foreach (var y in new[] { 0f, 1f, 2f, 3f, -1f, 0.5f, 0.75f, -0.75f, 1e10f, Inf, -Inf, float.NaN })
            {
                var (expected, actual) = (MathF.Pow(x, y), VectorMath.Pow(Vector512.Create(x), Vector512.Create(y))[5]);
                Assert.True(expected.Equals(actual) || Math.Abs((actual / expected) - 1) < 2e-7, $"{x} to the power {y} is {actual}, not {expected}");
            }
        }
    }

    [Fact]
    public void MaxAcrossSeesEveryElementAndNaN()
    {
        for (var i = 0; i < 16; i++)
        {
            Assert.Equal(3f, VectorMath.MaxAcross(Vector512.Create(-1f).WithElement(i, 3f)));
            Assert.True(float.IsNaN(VectorMath.MaxAcross(Vector512.Create(-1f).WithElement(i, float.NaN))));
        }
    }

    /// <summary>Also states the widths' agreement: all three are compared with the same reference.</summary>
    private void Check(
        string name, Func<Vector128<float>, Vector128<float>> narrow, Func<Vector256<float>, Vector256<float>> middle,
        Func<Vector512<float>, Vector512<float>> wide, Func<double, double> exact, double from, double to, double ulps, float[] special, double absolute = 0)
    {
        const int Steps = 400_000;
        var worst = 0.0;
        for (var i = 0; i <= Steps; i++)
        {
            var x = (float)(from + ((to - from) * i / Steps));
            Compare(x, wide(Vector512.Create(x))[i % 16]);
            if (i % 16 == 0)
            {
                Compare(x, middle(Vector256.Create(x))[3]);
                Compare(x, narrow(Vector128.Create(x))[1]);
            }
        }

        foreach (var x in special)
        {
            Compare(x, wide(Vector512.Create(x))[7]);
            Compare(x, middle(Vector256.Create(x))[7]);
            Compare(x, narrow(Vector128.Create(x))[3]);
        }

        void Compare(float x, float actual)
        {
            var expected = exact(x);
            var nearest = (float)expected;
            if (float.IsNaN(nearest) || float.IsInfinity(nearest))
            {
                Assert.True(nearest.Equals(actual), $"{name}({x:g9}) = {actual:g9}, not {nearest}");
            }
            else if (nearest == 0)
            {
                Assert.True(actual == 0 && float.IsNegative(actual) == float.IsNegative(nearest), $"{name}({x:g9}) = {actual:g9}, not {nearest}");
            }
            else
            {
                var difference = Math.Abs(actual - expected);
                var distance = difference <= absolute ? 0 : difference / (MathF.BitIncrement(Math.Abs(nearest)) - (double)Math.Abs(nearest));
                worst = Math.Max(worst, distance);
                Assert.True(distance <= ulps, $"{name}({x:g9}) = {actual:g9}, {distance:g3} ulp from {expected:g9}");
            }
        }

        output.WriteLine($"{name} [{from}, {to}]: {worst:g3} ulp");
    }

    private static double Log1p(double x)
    {
        var sum = 1 + x;
        return sum == 1 ? x : double.IsInfinity(sum) || sum <= 0 ? Math.Log(sum) : Math.Log(sum) * x / (sum - 1);
    }
}
