// No file can hang or crash a build: everything the evaluator does is counted, and the counts have limits. They are
// counts and not seconds, so that a file that compiles here compiles everywhere.
using System.Globalization;
using ModelCompiler.Grammar;

namespace ModelCompiler.Evaluation;

/// <summary>Ends the evaluation of a network.</summary>
internal sealed class BudgetException(string code, SourceSpan place, string message) : Exception(message)
{
    public string Code { get; } = code;

    public SourceSpan Place { get; } = place;
}

internal sealed class Budget
{
    /// <summary>Expressions inside expressions, through names and block uses. The stack of <see cref="DeepStack"/> holds more.</summary>
    public const int MaximumDepth = 10_000;

    /// <summary>Blocks inside blocks.</summary>
    public const int MaximumBlockDepth = 200;

    public const int MaximumSteps = 2_000_000;

    public const int MaximumNodes = 100_000;

    /// <summary>Items of a list, repetitions of a stage.</summary>
    public const int MaximumItems = 10_000;

    private int depth;
    private int steps;

    public void Enter(SourceSpan place)
    {
        if (++steps > MaximumSteps)
        {
            throw TooManySteps(place);
        }

        if (++depth > MaximumDepth)
        {
            throw new BudgetException("CNN5011", place, $"values lead to one another more than {Text(MaximumDepth)} deep; split the network into blocks");
        }
    }

    public void Leave() => depth--;

    /// <summary>Charges what takes time beyond looking at an expression: a step for each item gone through.</summary>
    public void Spend(long items, SourceSpan place)
    {
        steps = (int)Math.Min(int.MaxValue - 1, steps + items);
        if (steps > MaximumSteps)
        {
            throw TooManySteps(place);
        }
    }

    public static void CheckBlockDepth(Frame frame, string block, SourceSpan place)
    {
        if (frame.Depth > MaximumBlockDepth)
        {
            throw new BudgetException("CNN5010", place, $"blocks are used more than {Text(MaximumBlockDepth)} deep inside one another, here '{block}'; does the recursion end? A binding that is not needed is not evaluated: 'out if depth == 0 then in else …'");
        }
    }

    public static void CheckNodes(int nodes, SourceSpan place)
    {
        if (nodes > MaximumNodes)
        {
            throw new BudgetException("CNN5013", place, $"this network has more than {Text(MaximumNodes)} operations");
        }
    }

    public static void CheckItems(long items, SourceSpan place)
    {
        if (items > MaximumItems)
        {
            throw new BudgetException("CNN5014", place, $"{items.ToString(CultureInfo.InvariantCulture)} items are too many; a list or repetition holds at most {Text(MaximumItems)}");
        }
    }

    private static BudgetException TooManySteps(SourceSpan place) =>
        new("CNN5012", place, $"evaluating this network takes more than {Text(MaximumSteps)} steps; is a list or a recursion larger than meant?");

    private static string Text(int number) => number.ToString("N0", CultureInfo.InvariantCulture);
}
