// Which nodes become one step. Point-wise chains merge into one formula; a formula whose main operand comes from
// a convolution or dense layer is computed before that one stores; a reduction takes the formula of its operand.
// A value that anything else needs is never merged away.
using System.Collections.Immutable;
using ModelCompiler.Graph;
using ModelCompiler.Operators;

namespace ModelCompiler.Planning;

/// <summary>A node that is computed and stored, with what was merged into it.</summary>
/// <param name="Output">The node whose value is stored.</param>
/// <param name="Anchor">The node whose kernel does the work; the same as Output where nothing was merged behind it.</param>
/// <param name="Formula">Over <paramref name="Operands"/>; for an anchor with a kernel of its own, input 0 is the anchor's result
/// and operand 0 the anchor. Null where there is none.</param>
public sealed record FusedNode(Node Output, Node Anchor, Expression? Formula, ImmutableArray<Node> Operands);

public static class Fusion
{
    internal const int MostOperands = 8;
    private const int MostTerms = 48;

    /// <param name="roots">Nodes that must be stored whoever reads them: outputs, gradients, updates.</param>
    public static ImmutableArray<FusedNode> Run(ImmutableArray<Node> nodes, IReadOnlyCollection<Node> roots)
    {
        // A root has a reader whom nobody knows, beside the one that would take it over.
        var uses = NodeUses.Count(nodes, roots.Concat(roots));
        var formulas = new NodeMap<(Expression Formula, ImmutableArray<Node> Operands)>();
        var merged = new NodeSet();
        var fused = new NodeMap<FusedNode>();
        foreach (var node in nodes)
        {
            if (node.Primitive == Primitives.Pointwise)
            {
                var (formula, operands) = Merge(node, uses, formulas, merged);
                formulas[node] = (formula, operands);

                // What was merged in had perhaps a kernel to finish; now the whole formula looks for one, and may find another.
                foreach (var finished in node.Inputs.Where(merged.Contains).Where(i => fused[i].Anchor != i).Select(i => fused[i].Anchor).ToList())
                {
                    merged.Remove(finished);
                }

                var anchor = operands.FirstOrDefault(o => CanAnchor(node, o, uses, formula, operands));
                if (anchor is not null)
                {
                    merged.Add(anchor);
                    var order = operands.Remove(anchor).Insert(0, anchor);
                    fused[node] = new FusedNode(node, anchor, Substitute(formula, i => new InputFormula(order.IndexOf(operands[i]))), order);
                }
                else
                {
                    fused[node] = new FusedNode(node, node, formula, operands);
                }
            }
            else if (node.Primitive == Primitives.Reduce && uses[node.Inputs[0]] == 1 && formulas.TryGetValue(node.Inputs[0], out var operand)
                && fused[node.Inputs[0]].Anchor == node.Inputs[0] && operand.Operands.Length > 0 && !IsRandom(operand.Formula))
            {
                merged.Add(node.Inputs[0]);
                fused[node] = new FusedNode(node, node, operand.Formula, operand.Operands);
            }
            else
            {
                fused[node] = new FusedNode(node, node, null, node.Inputs);
            }
        }

        return nodes.Where(n => !merged.Contains(n)).Select(n => fused[n]).ToImmutableArray();
    }

    /// <summary>Whether a formula is a few instructions: only such ones run inside a kernel that holds many sums in registers.</summary>
    public static bool IsCheap(Expression formula) => formula switch
    {
        UnaryFormula unary => unary.Function is UnaryFunction.Negate or UnaryFunction.Absolute && IsCheap(unary.Operand),
        BinaryFormula binary => binary.Function is not (BinaryFunction.Power or BinaryFunction.Divide) && IsCheap(binary.Left) && IsCheap(binary.Right),
        SelectFormula select => IsCheap(select.Condition) && IsCheap(select.Then) && IsCheap(select.Else),
        RandomFormula or BatchSizeFormula => false,
        _ => true,
    };

    /// <summary>Random numbers belong to elements of the stored value; a reduction has none.</summary>
    internal static bool IsRandom(Expression formula) => formula switch
    {
        RandomFormula => true,
        UnaryFormula unary => IsRandom(unary.Operand),
        BinaryFormula binary => IsRandom(binary.Left) || IsRandom(binary.Right),
        SelectFormula select => IsRandom(select.Condition) || IsRandom(select.Then) || IsRandom(select.Else),
        _ => false,
    };

    public static Expression Substitute(Expression formula, Func<int, Expression> inputs) => formula switch
    {
        InputFormula input => inputs(input.Index),
        BinaryFormula { Function: BinaryFunction.Greater } comparison => Greater(Substitute(comparison.Left, inputs), Substitute(comparison.Right, inputs)),
        UnaryFormula unary => unary with { Operand = Substitute(unary.Operand, inputs) },
        BinaryFormula binary => binary with { Left = Substitute(binary.Left, inputs), Right = Substitute(binary.Right, inputs) },
        SelectFormula select => new SelectFormula(Substitute(select.Condition, inputs), Substitute(select.Then, inputs), Substitute(select.Else, inputs)),
        _ => formula,
    };

    /// <summary>Which side of a limit an operand is on shows without limiting it first: derivatives ask the result, which is kept, but where
    /// both are computed in one step the operand is at hand. The limits are finite, so that a NaN is on no side either way.</summary>
    private static Expression Greater(Expression a, Expression b) => (a, b) switch
    {
        (BinaryFormula { Function: BinaryFunction.Maximum, Right: ConstantFormula limit } most, ConstantFormula c) when (float)c.Value >= (float)limit.Value => Greater(most.Left, b),
        (BinaryFormula { Function: BinaryFunction.Minimum, Right: ConstantFormula limit } least, ConstantFormula c) when (float)c.Value < (float)limit.Value => Greater(least.Left, b),
        (ConstantFormula c, BinaryFormula { Function: BinaryFunction.Minimum, Right: ConstantFormula limit } least) when (float)c.Value <= (float)limit.Value => Greater(a, least.Left),
        (ConstantFormula c, BinaryFormula { Function: BinaryFunction.Maximum, Right: ConstantFormula limit } most) when (float)c.Value > (float)limit.Value => Greater(a, most.Left),
        _ => Formulas.Greater(a, b),
    };

    private static int Terms(Expression formula) => formula switch
    {
        UnaryFormula unary => 1 + Terms(unary.Operand),
        BinaryFormula binary => 1 + Terms(binary.Left) + Terms(binary.Right),
        SelectFormula select => 1 + Terms(select.Condition) + Terms(select.Then) + Terms(select.Else),
        _ => 1,
    };

    private static (Expression Formula, ImmutableArray<Node> Operands) Merge(
        Node node, NodeMap<int> uses, NodeMap<(Expression Formula, ImmutableArray<Node> Operands)> formulas, NodeSet merged)
    {
        var formula = node.As<PointwiseAttributes>().Formula;
        var operands = new List<Node>();
        int Operand(Node operand)
        {
            var index = operands.IndexOf(operand);
            if (index < 0)
            {
                index = operands.Count;
                operands.Add(operand);
            }

            return index;
        }

        var inner = new Expression[node.Inputs.Length];
        var terms = Terms(formula);
        var left = node.Inputs.Length;
        for (var i = 0; i < inner.Length; i++)
        {
            var input = node.Inputs[i];
            left--;
            if (formulas.TryGetValue(input, out var known) && uses[input] == 1 && input.Shape.Equals(node.Shape) && input.Batched == node.Batched
                && operands.Count + left + known.Operands.Length <= MostOperands && terms + Terms(known.Formula) <= MostTerms
                && known.Operands.Length > 0)
            {
                terms += Terms(known.Formula);
                merged.Add(input);
                inner[i] = Substitute(known.Formula, index => new InputFormula(Operand(known.Operands[index])));
            }
            else
            {
                inner[i] = new InputFormula(Operand(input));
            }
        }

        return (Substitute(formula, i => inner[i]), operands.ToImmutableArray());
    }

    private static bool CanAnchor(Node node, Node candidate, NodeMap<int> uses, Expression formula, ImmutableArray<Node> operands) =>
        (candidate.Primitive == Primitives.Convolution || candidate.Primitive == Primitives.ConvolutionInputGradient
            || candidate.Primitive == Primitives.Dense || candidate.Primitive == Primitives.DenseInputGradient)
        && uses[candidate] == 1 && node.Shape.Equals(candidate.Shape) && node.Batched && candidate.Batched && IsCheap(formula)
        && (!OverRows(candidate) || node.Shape[node.Shape.Rank - 1] % Layout.Lanes == 0)
        && operands.All(o => o == candidate || (o.Batched && o.Shape.Equals(node.Shape)) || IsChannelVector(o, candidate));

    /// <summary>A dense layer over rows of features stores whole vectors, so only widths of whole vectors can be finished in place.</summary>
    private static bool OverRows(Node node) =>
        node.Shape.Rank > 1 && (node.Primitive == Primitives.Dense || node.Primitive == Primitives.DenseInputGradient);

    /// <summary>One unbatched number per channel (per feature for dense layers over rows).</summary>
    public static bool IsChannelVector(Node operand, Node anchor)
    {
        if (operand.Batched || operand.Shape.Rank != anchor.Shape.Rank || anchor.Shape.Rank == 0)
        {
            return false;
        }

        var axis = OverRows(anchor) ? anchor.Shape.Rank - 1 : 0;
        return operand.Shape[axis] == anchor.Shape[axis] && operand.Shape.Count == anchor.Shape[axis];
    }
}
