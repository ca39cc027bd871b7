// How many zeros each value must have around its plane, so that no convolution checks for edges.
using ModelCompiler.Graph;
using ModelCompiler.Operators;

namespace ModelCompiler.Planning;

internal sealed class HaloNeeds
{
    private readonly Dictionary<Node, Halo> needs = new();

    /// <param name="ofInputGradients">Whether data gradients of convolutions read zeros around what they are made of.</param>
    public HaloNeeds(IEnumerable<Node> nodes, bool ofInputGradients = true)
    {
        foreach (var node in nodes)
        {
            if (node.Primitive == Primitives.Convolution)
            {
                Require(node.Inputs[0], Forward(node.As<ConvolutionAttributes>().Window, node.Inputs[0].Shape, node.Shape));
            }
            else if (node.Primitive == Primitives.ConvolutionWeightGradient)
            {
                Require(node.Inputs[0], Forward(node.As<ConvolutionWeightGradientAttributes>().Window, node.Inputs[0].Shape, node.Inputs[1].Shape));
            }
            else if (node.Primitive == Primitives.ConvolutionInputGradient && ofInputGradients)
            {
                Require(node.Inputs[0], Backward(node.As<ConvolutionInputGradientAttributes>().Window, node.Shape, node.Inputs[0].Shape));
            }
        }
    }

    /// <summary>Values that are computed twice lie the same way both times.</summary>
    public void Unite(Node one, Node other)
    {
        Require(one, Of(other));
        Require(other, Of(one));
    }

    public Halo Of(Node node) => needs.TryGetValue(node, out var halo) ? halo : Halo.None;

    internal static Halo Forward(Window window, Shape input, Shape output)
    {
        var (depth, rows, columns) = Axis3.Of(window);
        var (i, o) = (new Layout(LayoutKind.Flat, input), new Layout(LayoutKind.Flat, output));
        return Make(depth.Overhang(i.Depth, o.Depth), rows.Overhang(i.Height, o.Height), columns.Overhang(i.Width, o.Width));
    }

    internal static Halo Backward(Window window, Shape input, Shape output)
    {
        var (depth, rows, columns) = Axis3.Of(window);
        var (i, o) = (new Layout(LayoutKind.Flat, input), new Layout(LayoutKind.Flat, output));
        static (int Before, int After) Worst(Axis3 axis, int inputSize, int outputSize) =>
            GradientPhase.Of(axis, inputSize).Select(p => p.Overhang(outputSize)).Aggregate((a, b) => (Math.Max(a.Before, b.Before), Math.Max(a.After, b.After)));
        return Make(Worst(depth, i.Depth, o.Depth), Worst(rows, i.Height, o.Height), Worst(columns, i.Width, o.Width));
    }

    private static Halo Make((int Before, int After) depth, (int Before, int After) rows, (int Before, int After) columns) =>
        new(depth.Before, depth.After, rows.Before, rows.After, columns.Before, columns.After);

    private void Require(Node node, Halo halo) => needs[node] = Of(node).Union(halo);
}
