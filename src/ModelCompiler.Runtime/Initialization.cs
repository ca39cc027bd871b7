// How parameters start. Each parameter draws from a stream of its own, so that adding a layer does not
// change the others' numbers.
namespace ModelCompiler.Runtime;

internal static class Initialization
{
    /// <summary>The same seed gives the same bits on every platform, whatever else the network has.</summary>
    public static void Fill(Span<float> values, ParameterInfo info, ulong seed) => Fill(values, info, new RandomGenerator(seed, Hash(info.Name)));

    private static void Fill(Span<float> values, ParameterInfo info, RandomGenerator random)
    {
        var gain = (double)info.Value;
        switch (info.Initializer)
        {
            case InitializerKind.Constant:
                values.Fill(info.Value);
                break;
            case InitializerKind.FanInUniform:
                Uniform(values, 1 / Math.Sqrt(Fan(info.FanIn)), random);
                break;
            case InitializerKind.Uniform:
                Uniform(values, gain, random);
                break;
            case InitializerKind.Normal:
                Normal(values, gain, random);
                break;
            case InitializerKind.XavierUniform:
                Uniform(values, gain * Math.Sqrt(6.0 / Fan(info.FanIn + info.FanOut)), random);
                break;
            case InitializerKind.XavierNormal:
                Normal(values, gain * Math.Sqrt(2.0 / Fan(info.FanIn + info.FanOut)), random);
                break;
            case InitializerKind.KaimingUniform:
                Uniform(values, gain * Math.Sqrt(3.0 / Fan(info.FanIn)), random);
                break;
            case InitializerKind.KaimingNormal:
                Normal(values, gain / Math.Sqrt(Fan(info.FanIn)), random);
                break;
            case InitializerKind.Orthogonal:
                Orthogonal(values, info, random);
                break;
            default:
                throw new ArgumentException($"'{info.Name}': unknown initializer {info.Initializer}.", nameof(info));
        }
    }

    private static int Fan(int fan) => Math.Max(fan, 1);

    private static void Uniform(Span<float> values, double bound, RandomGenerator random)
    {
        foreach (ref var value in values)
        {
            value = (float)(((2 * random.NextDouble()) - 1) * bound);
        }
    }

    private static void Normal(Span<float> values, double deviation, RandomGenerator random)
    {
        foreach (ref var value in values)
        {
            value = (float)(random.NextNormal() * deviation);
        }
    }

    /// <summary>Saxe et al. 2014: the rows (or columns, whichever are fewer) of shape[0] x rest are orthonormal, times the gain.
    /// Gram and Schmidt's method, modified and applied twice, on normal vectors.</summary>
    private static void Orthogonal(Span<float> values, ParameterInfo info, RandomGenerator random)
    {
        var rows = info.Shape.Length == 0 ? 1 : info.Shape[0];
        var columns = values.Length / Math.Max(rows, 1);
        var (count, length) = rows <= columns ? (rows, columns) : (columns, rows);
        var basis = new double[count][];
        for (var i = 0; i < count; i++)
        {
            basis[i] = new double[length];
            foreach (ref var element in basis[i].AsSpan())
            {
                element = random.NextNormal();
            }

            for (var pass = 0; pass < 2; pass++)
            {
                for (var j = 0; j < i; j++)
                {
                    var projection = Dot(basis[i], basis[j]);
                    for (var k = 0; k < length; k++)
                    {
                        basis[i][k] -= projection * basis[j][k];
                    }
                }
            }

            var norm = Math.Sqrt(Dot(basis[i], basis[i]));
            foreach (ref var element in basis[i].AsSpan())
            {
                element /= norm;
            }
        }

        for (var i = 0; i < values.Length; i++)
        {
            var (row, column) = (i / columns, i % columns);
            values[i] = (float)(info.Value * (rows <= columns ? basis[row][column] : basis[column][row]));
        }
    }

    private static double Dot(double[] a, double[] b)
    {
        var sum = 0.0;
        for (var i = 0; i < a.Length; i++)
        {
            sum += a[i] * b[i];
        }

        return sum;
    }

    /// <summary>FNV-1a: string.GetHashCode differs from process to process.</summary>
    private static ulong Hash(string text)
    {
        var hash = 14695981039346656037UL;
        foreach (var character in text)
        {
            hash = (hash ^ character) * 1099511628211;
        }

        return hash;
    }
}
