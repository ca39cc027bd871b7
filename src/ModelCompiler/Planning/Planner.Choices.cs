// Where a layer can be computed in several ways: the planner's estimate decides, unless a file of measured choices
// says otherwise of exactly this layer with exactly these shapes.
using System.Collections.Immutable;
using ModelCompiler.Graph;
using ModelCompiler.Kernels;

namespace ModelCompiler.Planning;

public sealed partial class Planner
{
    private readonly List<ChoicePoint> choices = new();
    private readonly TuningOfPlan? tuning;

    /// <summary>A layer that is being planned: what a file says of it, and how many steps there were before.</summary>
    private readonly record struct OpenChoice(Node Node, string Step, KernelChoice? Wanted, int StepsBefore);

    private OpenChoice Open(Node node, string step) => new(node, step, tuning?.Find(node.Origin.Path, step, Shapes(node)), steps.Count);

    /// <summary>The wanted way where it is possible, else the planner's own.</summary>
    private static KernelChoice Decide(ChoicePoint point, OpenChoice open) => open.Wanted is { } wanted && point.IsPossible(wanted) ? wanted : point.Own;

    private static ChoicePoint Point(OpenChoice open, ConvolutionGeometry? geometry, int ownWinograd, bool mayWinograd, bool mayStrassen = false, bool mayBlock = false)
    {
        var own = new KernelChoice(ownWinograd, Strassen: mayStrassen && StrassenChoice.IsWorthIt(geometry!));
        return new(open.Node.Origin.Path, open.Step, Shapes(open.Node), geometry, own, mayWinograd, mayStrassen, mayBlock, ImmutableArray<string>.Empty);
    }

    private static Tile? WantedTile(KernelChoice choice) => choice.Tile == default ? null : choice.Tile;

    /// <summary>Keeps the choice that was made for whoever wants to measure others.</summary>
    /// <param name="pool">One that the layer could compute; it counts as the layer's whoever does: kernels that take it over are measured with it, so the others are too.</param>
    private void Close(OpenChoice open, ChoicePoint point, Node? pool = null)
    {
        if (point.Layer.Length > 0)
        {
            if (pool is not null && !pooled.Contains(pool))
            {
                choicesBeforePools.Add(pool, choices.Count);
            }

            choices.Add(point with { Steps = [.. steps.Skip(open.StepsBefore).Where(s => !s.Prepare).Select(s => s.Name)] });
        }
    }

    /// <summary>What tells one layer from another of its name: the shapes of operands (bias aside) and result.</summary>
    private static string Shapes(Node node) => $"{string.Join("*", node.Inputs.Take(2).Select(i => i.Shape))}->{node.Shape}";
}
