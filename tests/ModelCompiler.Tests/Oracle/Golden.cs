// The files that PyTorch wrote (Goldens/pytorch, with the scripts that make them): numbers by name.
using ModelCompiler.Graph;
using ModelCompiler.Runtime;

namespace ModelCompiler.Tests.Oracle;

internal static class Golden
{
    /// <summary>A network of the folder.</summary>
    public static NetworkGraph Network(string name) => Evaluation.Evaluating.Network(File.ReadAllText(PathOf(name + ".cnn")));

    /// <summary>All tensors of one file.</summary>
    public static Dictionary<string, StoredTensor> Read(string name) =>
        Safetensors.Read(PathOf(name + ".safetensors")).ToDictionary(tensor => tensor.Name);

    /// <summary>The values of a leaf: parameters as they are, inputs and targets cut into samples.</summary>
    public static double[][] Leaf(Node node, params Dictionary<string, StoredTensor>[] files)
    {
        var name = node.Attributes is InputAttributes input ? input.Name : node.As<ParameterAttributes>().Name;
        var values = Values(files.Last(file => file.ContainsKey(name))[name]);
        return node.Batched ? values.Chunk((int)node.Shape.Count).ToArray() : [values];
    }

    public static double[] Values(StoredTensor tensor) =>
        tensor.IsFloat ? tensor.ToFloats().Select(value => (double)value).ToArray() : tensor.ToIntegers().Select(value => (double)value).ToArray();

    /// <summary>Equal to a number that was rounded to float32: half a unit for the number in the file and as much again for what was
    /// computed in another order, and 2e-8 of the tensor's size for tables of numbers, which are float32, and where terms cancel.</summary>
    public static void Equal(StoredTensor expected, double[][] actual)
    {
        var wanted = Values(expected);
        var got = actual.SelectMany(sample => sample).ToArray();
        Assert.Equal(wanted.Length, got.Length);
        var size = wanted.Max(Math.Abs);
        for (var i = 0; i < wanted.Length; i++)
        {
            var tolerance = (Math.Abs(wanted[i]) * Math.Pow(2, -23)) + (2e-8 * size);
            Assert.True(Math.Abs(wanted[i] - got[i]) <= tolerance, $"{expected.Name}[{i}]: {got[i]}, PyTorch has {wanted[i]}");
        }
    }

    /// <summary>The largest difference, in roundings (2^-24) of the tensor's largest value; infinite where one is no number.</summary>
    public static double Roundings(StoredTensor expected, ReadOnlySpan<float> actual)
    {
        var wanted = expected.ToFloats();
        Assert.Equal(wanted.Length, actual.Length);
        var worst = 0.0;
        for (var i = 0; i < wanted.Length; i++)
        {
            var error = Math.Abs((double)wanted[i] - actual[i]);
            worst = double.IsNaN(error) ? double.PositiveInfinity : Math.Max(worst, error);
        }

        return worst == 0 ? 0 : worst / wanted.Max(Math.Abs) * (1 << 24);
    }

    public static string PathOf(string file) => Repository.File("tests", "ModelCompiler.Tests", "Goldens", "pytorch", file);
}
