// Point-wise work as a formula. An activation is a tree and so is its derivative; fusion merges trees;
// one emitter turns any tree into vector code. That is why `silu` costs a line and not a kernel.
namespace ModelCompiler.Graph;

/// <summary>A formula over the elements at one position of a node's inputs. Records: equal trees are equal.</summary>
public abstract record Expression
{
    public static Expression operator +(Expression a, Expression b) => new BinaryFormula(BinaryFunction.Add, a, b);

    public static Expression operator -(Expression a, Expression b) => new BinaryFormula(BinaryFunction.Subtract, a, b);

    public static Expression operator *(Expression a, Expression b) => new BinaryFormula(BinaryFunction.Multiply, a, b);

    public static Expression operator /(Expression a, Expression b) => new BinaryFormula(BinaryFunction.Divide, a, b);

    public static Expression operator -(Expression a) => new UnaryFormula(UnaryFunction.Negate, a);

    public static implicit operator Expression(double value) => new ConstantFormula(value);
}

/// <summary>The element of input number <paramref name="Index"/>.</summary>
public sealed record InputFormula(int Index) : Expression;

public sealed record ConstantFormula(double Value) : Expression;

/// <summary>The number of samples in the batch, known when the network is constructed.</summary>
public sealed record BatchSizeFormula : Expression;

/// <summary>A uniform number in [0, 1) that is a pure function of (seed, training step, <paramref name="Stream"/>, sample,
/// element): the same in forward and backward, for every number of threads.</summary>
public sealed record RandomFormula(int Stream) : Expression;

public enum UnaryFunction
{
    Negate,
    Absolute,
    Exp,
    Log,

    /// <summary>ln(1 + x), accurate near 0.</summary>
    Log1p,
    SquareRoot,
    ReciprocalSquareRoot,
    Tanh,
    Sigmoid,

    /// <summary>Φ(x), the distribution function of the standard normal distribution.</summary>
    NormalCdf,
    Sin,
    Cos,
    Atan,
    Floor,
}

public enum BinaryFunction
{
    Add,
    Subtract,
    Multiply,
    Divide,
    Minimum,
    Maximum,
    Power,

    /// <summary>1 where true, else 0.</summary>
    Greater,
    GreaterOrEqual,
    Equal,
}

public sealed record UnaryFormula(UnaryFunction Function, Expression Operand) : Expression;

public sealed record BinaryFormula(BinaryFunction Function, Expression Left, Expression Right) : Expression;

/// <summary><paramref name="Then"/> where the condition is not 0, else <paramref name="Else"/>.</summary>
public sealed record SelectFormula(Expression Condition, Expression Then, Expression Else) : Expression;
