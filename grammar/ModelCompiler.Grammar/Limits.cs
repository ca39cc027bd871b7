// The limits that make parsing safe for any text: the compiler may run on a small stack inside an editor, and no
// file may overflow it or keep it busy. They are far beyond what anybody writes by hand.
namespace ModelCompiler.Grammar;

public static class Limits
{
    /// <summary>How deep the expressions of a statement nest: brackets, the branches of an <c>if</c>, and the operands of a long
    /// <c>a + b + c …</c>, which leans to the left. Later passes may recurse over a tree this deep.</summary>
    public const int Depth = 200;

    /// <summary>How deep blocks stand inside blocks.</summary>
    public const int NestedBlocks = 16;

    /// <summary>How deep an <c>if</c> may stand inside another one's condition or <c>then</c> without brackets around it; the
    /// parser recurses over these alone. A chain of <c>else if</c> does not count.</summary>
    public const int OpenIfs = 16;

    /// <summary>Stages of one flow.</summary>
    public const int FlowStages = 10_000;

    /// <summary>Characters of one file.</summary>
    public const int FileCharacters = 1 << 20;

    /// <summary>Mistakes shown for one file.</summary>
    public const int Diagnostics = 100;
}
