// Formulas as vector code. Point-wise kernels, reductions and the epilogues of convolutions all come here, so
// an activation is fused wherever a formula fits.
using System.Collections.Immutable;
using ModelCompiler.Emission;
using ModelCompiler.Graph;

namespace ModelCompiler.Kernels;

/// <summary>Writes the statements that compute formulas for one vector of elements. Call <see cref="Prepare"/> once before the
/// loops, then <see cref="Apply"/> for every vector. Constants stay in place: the JIT makes memory operands or hoisted
/// registers of them, as there is room.</summary>
/// <param name="prefix">Begins the name of every local, for several formulas in one scope.</param>
internal sealed class FormulaEmitter(Isa isa, FormulaProgram program, string prefix = "")
{
    public FormulaEmitter(Isa isa, Expression formula, string prefix = "")
        : this(isa, new FormulaProgram([formula]), prefix)
    {
    }

    /// <summary>Scalar arguments the kernel must declare: the batch size, keys of random streams.</summary>
    public ImmutableArray<ScalarArgument> Scalars => program.Scalars;

    public bool UsesRandom => program.Streams.Count > 0;

    /// <summary>False when functions of many instructions occur: not for unrolled epilogues.</summary>
    public bool IsCheap => !program.Steps.Any(s =>
        s.Source is RandomFormula or BinaryFormula { Function: BinaryFunction.Power }
        || (s.Source is UnaryFormula unary && Function(unary.Function).StartsWith("VectorMath", StringComparison.Ordinal)));

    /// <summary>Everything that decides the code, for names of kernels: equal for equal formulas.</summary>
    public string Identity => program.Text;

    /// <summary>For comments: <c>max(x0 + x1, 0)</c>.</summary>
    public string Readable => program.Readable;

    public bool Uses(int input) => program.Steps.Any(s => s.Source is InputFormula formula && formula.Index == input);

    /// <summary>Writes what does not change from vector to vector.</summary>
    public void Prepare(SourceWriter writer)
    {
        if (program.UsesBatchSize)
        {
            writer.Line($"var {prefix}batchSizes = {isa.Broadcast("batchSize")};");
        }

        for (var i = 0; i < program.Streams.Count; i++)
        {
            writer.Line($"var {prefix}keys{i} = {isa.Broadcast($"key{i}")};");
        }
    }

    /// <summary>Writes the statements for one vector and returns an expression for each formula's result, each to be used once.</summary>
    /// <param name="input">Name of the local that holds an input's vector.</param>
    /// <param name="suffix">Ends the name of every local, for several vectors in one scope.</param>
    /// <param name="elements">The elements' numbers as a vector of uint; needed when <see cref="UsesRandom"/>.</param>
    public ImmutableArray<string> Apply(SourceWriter writer, Func<int, string> input, string suffix = "", string elements = "")
    {
        var text = new string[program.Steps.Count];
        for (var i = 0; i < text.Length; i++)
        {
            if (!IsFused(i))
            {
                text[i] = Text(i, text, input, elements);
                if (program.Uses[i] > 1 && !program.Steps[i].Arguments.IsEmpty)
                {
                    var name = $"{prefix}t{i}{suffix}";
                    writer.Line($"var {name} = {text[i]};");
                    text[i] = name;
                }
            }
        }

        return [.. program.Results.Select(r => program.Steps[r].Source is BinaryFormula b && IsComparison(b.Function) ? AsNumber(text[r]) : text[r])];
    }

    public string ApplyOne(SourceWriter writer, Func<int, string> input, string suffix = "", string elements = "") =>
        Apply(writer, input, suffix, elements).Single();

    private string Text(int number, string[] text, Func<int, string> input, string elements)
    {
        var step = program.Steps[number];
        string Value(int argument) =>
            program.Steps[step.Arguments[argument]].Source is BinaryFormula b && IsComparison(b.Function)
                ? AsNumber(text[step.Arguments[argument]]) : text[step.Arguments[argument]];
        switch (step.Source)
        {
            case InputFormula formula:
                return input(formula.Index);
            case ConstantFormula constant:
                return constant.Value switch
                {
                    0 when 1 / constant.Value > 0 => $"{isa.Type}.Zero",
                    1 => $"{isa.Type}.One",
                    _ => isa.Broadcast(Literals.Float((float)constant.Value)),
                };
            case BatchSizeFormula:
                return $"{prefix}batchSizes";
            case RandomFormula random:
                return $"VectorMath.Uniform({prefix}keys{program.Streams.ToList().IndexOf(random.Stream)}, {elements})";
            case UnaryFormula { Function: UnaryFunction.Negate }:
                return $"(-{Value(0)})";
            case UnaryFormula { Function: UnaryFunction.ReciprocalSquareRoot }:
                return $"({isa.Type}.One / {isa.Static}.Sqrt({Value(0)}))";
            case UnaryFormula unary:
                return $"{Function(unary.Function)}({Value(0)})";
            case SelectFormula:
                var isMask = program.Steps[step.Arguments[0]].Source is BinaryFormula b && IsComparison(b.Function);
                var mask = isMask ? text[step.Arguments[0]] : $"~{isa.Static}.Equals({Value(0)}, {isa.Type}.Zero)";
                return $"{isa.Static}.ConditionalSelect({mask}, {Value(1)}, {Value(2)})";
            case BinaryFormula binary:
                return Binary(binary.Function, step.Arguments, Value, text);
            default:
                throw new InvalidOperationException($"No code for the formula {step.Source.GetType().Name}.");
        }
    }

    private string Binary(BinaryFunction function, ImmutableArray<int> arguments, Func<int, string> value, string[] text)
    {
        switch (function)
        {
            case BinaryFunction.Add when IsFused(arguments[0]):
                return Product(arguments[0], value(1), text);
            case BinaryFunction.Add when IsFused(arguments[1]):
                return Product(arguments[1], value(0), text);
            case BinaryFunction.Subtract when IsFused(arguments[0]):
                return Product(arguments[0], $"-{value(1)}", text);
            case BinaryFunction.Subtract when IsFused(arguments[1]):
                return Product(arguments[1], value(0), text, "-");
            case BinaryFunction.Add:
                return $"({value(0)} + {value(1)})";
            case BinaryFunction.Subtract:
                return $"({value(0)} - {value(1)})";
            case BinaryFunction.Multiply:
                return $"({value(0)} * {value(1)})";
            case BinaryFunction.Divide:
                return $"({value(0)} / {value(1)})";
            case BinaryFunction.Greater:
                return $"{isa.Static}.GreaterThan({value(0)}, {value(1)})";
            case BinaryFunction.GreaterOrEqual:
                return $"{isa.Static}.GreaterThanOrEqual({value(0)}, {value(1)})";
            case BinaryFunction.Equal:
                return $"{isa.Static}.Equals({value(0)}, {value(1)})";
            case BinaryFunction.Power:
                return Power(arguments[1], value(0), value(1));
            case BinaryFunction.Minimum:
            case BinaryFunction.Maximum:
                // NaN must win, as in PyTorch. The native instruction returns its second operand when one is NaN, so a
                // constant goes first and one instruction does it; the general form takes three.
                var name = function == BinaryFunction.Minimum ? "Min" : "Max";
                return IsNumber(arguments[0]) ? $"{isa.Static}.{name}Native({value(0)}, {value(1)})"
                    : IsNumber(arguments[1]) ? $"{isa.Static}.{name}Native({value(1)}, {value(0)})"
                    : $"{isa.Static}.{name}({value(0)}, {value(1)})";
            default:
                throw new InvalidOperationException($"No code for the function {function}.");
        }
    }

    // The exponents that occur in networks, without logarithm.
    private string Power(int exponent, string x, string y)
    {
        var one = $"{isa.Type}.One";
        return program.Steps[exponent].Source is not ConstantFormula constant ? $"VectorMath.Pow({x}, {y})" : constant.Value switch
        {
            1 => x,
            0.5 => $"{isa.Static}.Sqrt({x})",
            -0.5 => $"({one} / {isa.Static}.Sqrt({x}))",
            -1 => $"({one} / {x})",
            _ => $"VectorMath.Pow({x}, {y})",
        };
    }

    private string Product(int product, string addend, string[] text, string sign = "")
    {
        var arguments = program.Steps[product].Arguments;
        string Factor(int i) => program.Steps[i].Source is BinaryFormula b && IsComparison(b.Function) ? AsNumber(text[i]) : text[i];
        return isa.Fma(sign + Factor(arguments[0]), Factor(arguments[1]), addend);
    }

    /// <summary>A product that is used once, by a sum (on one side of it): it becomes part of a multiply-add there.</summary>
    private bool IsFused(int number)
    {
        if (program.Uses[number] != 1 || program.Steps[number].Source is not BinaryFormula { Function: BinaryFunction.Multiply })
        {
            return false;
        }

        var user = program.Steps.FirstOrDefault(s => s.Arguments.Contains(number));
        return user?.Source is BinaryFormula { Function: BinaryFunction.Add or BinaryFunction.Subtract }
            && (user.Arguments[0] == number || !IsFused(user.Arguments[0]));
    }

    private bool IsNumber(int number) => program.Steps[number].Source is ConstantFormula constant && !double.IsNaN(constant.Value);

    private string AsNumber(string mask) => $"({mask} & {isa.Type}.One)";

    private static bool IsComparison(BinaryFunction function) =>
        function is BinaryFunction.Greater or BinaryFunction.GreaterOrEqual or BinaryFunction.Equal;

    private string Function(UnaryFunction function) => function switch
    {
        UnaryFunction.Absolute => $"{isa.Static}.Abs",
        UnaryFunction.SquareRoot => $"{isa.Static}.Sqrt",
        UnaryFunction.Floor => $"{isa.Static}.Floor",
        UnaryFunction.Negate or UnaryFunction.ReciprocalSquareRoot => "",
        _ => $"VectorMath.{function}",
    };
}
