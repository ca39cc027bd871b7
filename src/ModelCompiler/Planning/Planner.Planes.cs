// From planes of channels to lists of features, and back: networks that normalize and multiply the features of each place turn planes into
// rows and rows into planes in every block. Blocks of 16 channels are runs on both sides, so no other layout lies between.
using ModelCompiler.Graph;
using ModelCompiler.Kernels;
using ModelCompiler.Operators;

namespace ModelCompiler.Planning;

public sealed partial class Planner
{
    /// <summary>The input of a change of shape as it is, where it is blocked and stays so: channels are the same, and planes have no gaps.</summary>
    private StoredValue? Reshaped(Node node)
    {
        var x = values[node.Inputs[0]];
        return !training && x.Layout is { Kind: LayoutKind.Blocked, IsDense: true } && node.Inputs[0].Shape.Rank is > 1 and < 5 && IsReshapedPlane(node) ? x : null;
    }

    private static bool IsReshapedPlane(Node node) =>
        node.Primitive == Primitives.Reshape && node.Shape.Rank is > 1 and < 5 && node.Shape[0] == node.Inputs[0].Shape[0];

    private void PlanTranspose(Node node)
    {
        var permutation = node.As<TransposeAttributes>().Permutation;
        var last = permutation.Length - 1;
        var x = values[node.Inputs[0]];
        var fromBlocks = !training && x.Layout.Kind == LayoutKind.Blocked && permutation[last] == 0;
        x = fromBlocks ? x : Get(node.Inputs[0], LayoutKind.Flat);

        // Features that become channels are blocked where planes follow.
        var toBlocks = !training && !fromBlocks && node.Shape.Rank is > 1 and < 5 && permutation[0] == last
            && Readers[node] is { Count: > 0 } all && all.All(reader => IsReshapedPlane(reader) && reader.Shape.Rank > node.Shape.Rank);
        var y = Store(node, toBlocks ? LayoutKind.Blocked : LayoutKind.Flat);
        Add(node, "transpose", CopyKernel.Transpose(x.Layout, y.Layout, permutation, Scope(node)), x.Buffer, y.Buffer);
    }
}
