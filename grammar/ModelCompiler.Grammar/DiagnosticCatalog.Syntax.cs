// CNN1xxx: what the text itself can get wrong, and the limits of the parser (CNN5001 to CNN5009).
using System.Collections.Immutable;

namespace ModelCompiler.Grammar;

public static partial class DiagnosticCatalog
{
    private static ImmutableArray<DiagnosticEntry> Syntax() => Rows(
        new("CNN1001", "Unexpected word or sign", Severity.Error, "Something else belongs at this place; the message says what."),
        new("CNN1002", "Unknown character", Severity.Error, "The character has no meaning in the language outside comments and strings."),
        new("CNN1003", "String not closed", Severity.Error, "A string ends with a quote on the line it starts on."),
        new("CNN1004", "Comment not closed", Severity.Error, "A comment that starts with /* needs its */."),
        new("CNN1005", "Malformed number", Severity.Error, "Numbers are written 64, 0.5, 1e-5; dims are written 3x3 without spaces."),
        new("CNN1006", "Number too large", Severity.Error, "Integers have 64 bits, the sizes of a dims literal 31, and floats must be finite."),
        new("CNN1007", "Bracket not closed", Severity.Error, "Every opening bracket or brace needs its partner."),
        new("CNN1008", "Bracket without a partner", Severity.Error, "A closing bracket or brace closes nothing, or the wrong one."),
        new("CNN1009", "Value missing", Severity.Error, "A value belongs after this sign or word."),
        new("CNN1010", "Keyword used as a name", Severity.Error, "The words of the language cannot name values, blocks or networks."),
        new("CNN1011", "'if' without 'then' or 'else'", Severity.Error, "'if' is an expression: it needs a condition, 'then', and 'else'."),
        new("CNN1012", "'=' inside an expression", Severity.Error, "'=' binds a name; '==' compares, and ':' names an argument."),
        new("CNN1013", "Not a statement", Severity.Error, "A statement starts with a name and '=', or with a word such as 'input', 'output', 'out', 'loss'."),
        new("CNN1014", "Declaration in the wrong place", Severity.Error, "'network' and 'use' stand outside of blocks and networks."),
        new("CNN1015", "File declares nothing", Severity.Error, "The file is empty or holds only comments."),
        new("CNN1016", "Not a text file", Severity.Error, "The file holds binary data."),
        new("CNN1017", "Chained comparison", Severity.Error, "Comparisons do not chain: write 'a < b and b < c'."),
        new("CNN1018", "Body missing", Severity.Error, "A block or network needs a body in braces."),
        new("CNN1019", "Misplaced label", Severity.Error, "A label stands at the start of a stage: 'a -> conv1: conv(64, 3x3)'."),
        new("CNN5001", "Nested too deeply", Severity.Error, "Expressions and blocks nest within a fixed limit, so that no file can exhaust the stack."),
        new("CNN5002", "File too large", Severity.Error, "A file holds at most a mebi of characters."),
        new("CNN5003", "Too many mistakes", Severity.Info, "The first hundred mistakes of a file are shown."),
        new("CNN5004", "Flow too long", Severity.Error, "A flow has at most ten thousand stages; repeat stages with '*'."));
}
