// The oracle: what every node means, in double precision and in the plainest code. Kernels, gradients and PyTorch
// goldens are compared with it, so it is written for the reader and not for speed.
using System.Collections.Immutable;
using ModelCompiler.Graph;
using ModelCompiler.Operators;

namespace ModelCompiler.Tests.Oracle;

/// <summary>Evaluates graphs of primitives for one batch.</summary>
/// <param name="batch">Number of samples.</param>
/// <param name="seed">Seed and step of the random numbers of dropout.</param>
internal sealed class Interpreter(int batch, ulong seed = 0, long step = 0)
{
    /// <summary>The values of all nodes: one array per sample, or a single one for values without a batch.</summary>
    /// <param name="leaf">Values of inputs, targets (class numbers as doubles) and parameters.</param>
    public Dictionary<Node, double[][]> Run(IEnumerable<Node> nodes, Func<Node, double[][]> leaf)
    {
        var values = new Dictionary<Node, double[][]>();
        foreach (var node in nodes)
        {
            values.Add(node, node.Attributes is InputAttributes or ParameterAttributes ? Checked(node, leaf(node)) : Evaluate(node, values));
        }

        return values;
    }

    private double[][] Checked(Node node, double[][] samples)
    {
        Assert.Equal(node.Batched ? batch : 1, samples.Length);
        Assert.All(samples, sample => Assert.Equal(node.Shape.Count, sample.Length));
        return samples;
    }

    private double[][] Evaluate(Node node, Dictionary<Node, double[][]> values)
    {
        var overBatch = IsSummedOverBatch(node);
        var samples = Enumerable.Range(0, node.Batched || overBatch ? batch : 1)
            .Select(sample => EvaluateSample(node, sample, node.Inputs.Select(input => values[input][input.Batched ? sample : 0]).ToArray()))
            .ToArray();
        return Checked(node, overBatch ? [CombineSamples(node, samples)] : samples);
    }

    /// <summary>Results without a batch from inputs with one: weight gradients and reductions over the batch.</summary>
    private static bool IsSummedOverBatch(Node node) => !node.Batched && node.Inputs.Any(input => input.Batched);

    private static double[] CombineSamples(Node node, double[][] samples)
    {
        var kind = node.Attributes is ReduceAttributes reduce ? reduce.Kind : ReduceKind.Sum;
        return Enumerable.Range(0, samples[0].Length)
            .Select(i => samples.Select(sample => sample[i]))
            .Select(column => kind switch { ReduceKind.Max => column.Max(), ReduceKind.Mean => column.Average(), _ => column.Sum() })
            .ToArray();
    }

    private double[] EvaluateSample(Node node, int sample, double[][] inputs)
    {
        var shapes = node.Inputs.Select(input => input.Shape).ToArray();
        return node.Attributes switch
        {
            ConvolutionAttributes a => Windows.Convolution(a.Window, a.Groups, inputs, shapes, node.Shape),
            ConvolutionInputGradientAttributes a => Windows.ConvolutionInputGradient(a.Window, a.Groups, inputs, shapes, node.Shape),
            ConvolutionWeightGradientAttributes a => Windows.ConvolutionWeightGradient(a.Window, a.Groups, inputs, shapes, node.Shape),
            MaxPoolAttributes a when node.Primitive == Primitives.MaxPool => Windows.MaxPool(a.Window, inputs[0], shapes[0], node.Shape),
            MaxPoolAttributes a when node.Primitive == Primitives.MaxPoolPlaces => Selection.MaxPoolPlaces(a.Window, inputs[0], shapes[0], node.Shape),
            MaxPoolAttributes a => Windows.MaxPoolWinners(a.Window, inputs[0], shapes[0], node.Shape),
            MaxPoolGradientAttributes a => Windows.MaxPoolGradient(a, inputs, shapes),
            AveragePoolAttributes a when node.Primitive == Primitives.AveragePool => Windows.AveragePool(a, inputs[0], shapes[0], node.Shape),
            AveragePoolAttributes a => Windows.AveragePoolGradient(a, inputs[0], shapes[0]),
            ReduceAttributes a => Axes.Reduce(a, inputs[0], shapes[0], node.Shape),
            PointwiseAttributes a => FormulaValues.Evaluate(a.Formula, inputs, shapes, node.Shape, batch, seed, step, sample),
            ReshapeAttributes => inputs[0],
            ConcatAttributes a => Axes.Concat(a.Axis, inputs, shapes, node.Shape),
            SliceAttributes a => Axes.Move(inputs[0], shapes[0], node.Shape, a.Axis, -a.Start),
            PadAttributes a => Axes.Move(inputs[0], shapes[0], node.Shape, a.Axis, a.Before),
            ResampleAttributes a => Axes.Resample(a, inputs[0], shapes[0], node.Shape, backward: node.Primitive == Primitives.ResampleGradient),
            TransposeAttributes a => Axes.Transpose(a.Permutation, inputs[0], shapes[0], node.Shape),
            MatrixProductAttributes a => Products.Matrix(a, inputs, shapes, node.Shape),
            SoftmaxAttributes a => Axes.Softmax(a.Axis, inputs[0], node.Shape, logarithm: node.Primitive == Primitives.LogSoftmax),
            ScatterClassAttributes a => Axes.ScatterClass(a.Classes, inputs[0], inputs[1]),
            GatherClassAttributes => Axes.GatherClass(inputs[0], inputs[1]),
            GatherAttributes a => Selection.Gather(a.Axis, inputs[0], inputs[1], shapes[0], node.Shape),
            ScatterAttributes a => Selection.Scatter(a.Axis, inputs[0], inputs[1], shapes[0], node.Shape),
            TopPlacesAttributes a => Selection.TopPlaces(a, inputs[0], shapes[0], node.Shape),
            RegionPoolAttributes a when node.Primitive == Primitives.RegionPool => Selection.RegionPool(a, inputs[0], inputs[1], shapes[0], node.Shape),
            RegionPoolAttributes a => Selection.RegionPoolGradient(a, inputs[0], inputs[1], inputs[2], shapes[0], shapes[2]),
            RegionAlignAttributes a when node.Primitive == Primitives.RegionAlign => Selection.RegionAlign(a, inputs[0], inputs[1], node.Shape),
            RegionAlignAttributes a => Selection.RegionAlignGradient(a, inputs[0], inputs[1], shapes[1]),
            ConstantAttributes a => a.Values.Select(value => (double)value).ToArray(),
            null when node.Primitive == Primitives.Dense => Products.Dense(inputs, shapes),
            null when node.Primitive == Primitives.DenseInputGradient => Products.DenseInputGradient(inputs, shapes),
            null when node.Primitive == Primitives.DenseWeightGradient => Products.DenseWeightGradient(inputs, shapes),
            _ => throw new InvalidOperationException($"{node} is no primitive; lower the graph first."),
        };
    }
}
