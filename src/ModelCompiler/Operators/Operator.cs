// The contract between the language and its layers. An operator declares a signature (which drives argument
// checking, messages, operators.md and editor completion) and builds a small graph. It never sees the
// evaluator: everything it may ask stands in OperatorCall.
using System.Collections.Immutable;
using ModelCompiler.Graph;

namespace ModelCompiler.Operators;

public enum ArgumentKind
{
    Integer,

    /// <summary>Integer or float.</summary>
    Number,
    Boolean,

    /// <summary>One integer for every spatial axis, or dims with one per axis.</summary>
    Dims,

    /// <summary>As Dims, or the words <c>same</c> and <c>full</c>.</summary>
    Padding,

    /// <summary>One of <see cref="ArgumentSpec.Words"/>, written bare: <c>pad_mode: reflect</c>.</summary>
    Word,

    /// <summary><c>zeros</c>, <c>ones</c>, <c>constant(x)</c>, <c>normal(deviation)</c>, <c>uniform(bound)</c>,
    /// <c>xavier</c>, <c>kaiming</c>, <c>orthogonal</c>.</summary>
    Initializer,

    /// <summary>A (nested) list of numbers: tables, class weights, fixed kernels.</summary>
    List,

    /// <summary>Dims of any length: the argument of reshape.</summary>
    Shape,

    /// <summary>A stage applied inside the operator, such as a padding-free inner layer.</summary>
    Stage,
}

/// <summary>One argument.</summary>
/// <param name="Default">How the default reads in documentation (<c>"1"</c>, <c>"same as kernel"</c>); null when required.</param>
/// <param name="Minimum">Smallest allowed number (for Dims of each entry).</param>
public sealed record ArgumentSpec(
    string Name, ArgumentKind Kind, string Documentation, string? Default = null, double Minimum = double.NegativeInfinity,
    double Maximum = double.PositiveInfinity, ImmutableArray<string> Words = default);

/// <summary>What the language knows of an operator before it is called.</summary>
/// <param name="Inputs">Names of tensor inputs, in order: <c>["logits", "label"]</c>. A flow feeds the first.</param>
/// <param name="Variadic">True when it joins a list of any length (<c>concat</c>, <c>add</c>, <c>max</c>, <c>mean</c>).</param>
/// <param name="Summary">One line of documentation.</param>
/// <param name="Paper">Where it comes from; empty for the elementary.</param>
public sealed record Signature(
    string Name, ImmutableArray<string> Inputs, bool Variadic, ImmutableArray<ArgumentSpec> Arguments, string Summary, string Paper = "");

/// <summary>A word of the language that makes tensors.</summary>
public abstract class Operator
{
    public abstract Signature Signature { get; }

    /// <summary>Checks shapes and arguments and builds the graph. One node for most operators, several for those with
    /// several results. Throws <see cref="OperatorException"/> (never another) for what the user did wrong.</summary>
    public abstract ImmutableArray<Node> Build(OperatorCall call);
}

/// <summary>What an operator may ask while it builds. Arguments have been checked against the signature:
/// names, kinds, minimum and maximum.</summary>
public abstract class OperatorCall
{
    /// <summary>Tensor inputs; as many as the signature names, or any number (at least one) for variadic ones.</summary>
    public abstract ImmutableArray<Node> Inputs { get; }

    public abstract GraphBuilder Builder { get; }

    /// <summary>Whether the argument was written.</summary>
    public abstract bool Has(string argument);

    public abstract int Integer(string argument, int fallback = 0);

    public abstract double Number(string argument, double fallback = 0);

    public abstract bool Boolean(string argument, bool fallback = false);

    public abstract string Word(string argument, string fallback = "");

    /// <summary>One number per axis; a scalar is repeated. A wrong count of entries is reported here.</summary>
    public abstract ImmutableArray<int> Dims(string argument, int axes, int fallback = 0);

    /// <summary>For <see cref="ArgumentKind.Padding"/>: the word, or null when numbers (or nothing) were written.</summary>
    public abstract string? PaddingWord(string argument);

    /// <summary>Dims of any length.</summary>
    public abstract ImmutableArray<int> ShapeOf(string argument);

    /// <summary>A list of numbers, one level deep.</summary>
    public abstract ImmutableArray<double> Numbers(string argument);

    /// <summary>A list of lists of numbers.</summary>
    public abstract ImmutableArray<ImmutableArray<double>> Table(string argument);

    /// <summary>The initializer written for the argument, or the fallback. Fan in and out complete what was written.</summary>
    public abstract Initializer Initializer(string argument, Initializer fallback);

    /// <summary>Makes (or, in a shared stage, finds) a parameter of this layer; <paramref name="name"/> is the last part of
    /// its path, as PyTorch has it: <c>weight</c>, <c>bias</c>, <c>running_mean</c>.</summary>
    public abstract Node Parameter(string name, Shape shape, Initializer initializer, bool trainable = true);

    /// <summary>A number that no other call in this network gets: streams of random numbers.</summary>
    public abstract int NextStream();

    /// <summary>Reports a warning or hint without giving up: code, the argument to point at (null: the operator's name), message.</summary>
    public abstract void Advise(string code, string? argument, string message);
}

/// <summary>The user's mistake, found by an operator.</summary>
/// <param name="code">CNN2xxx or CNN3xxx.</param>
/// <param name="argument">The argument to point at; null points at the operator's name; <c>"input:1"</c> at tensor input 1.</param>
public sealed class OperatorException(string code, string? argument, string message) : Exception(message)
{
    public string Code { get; } = code;

    public string? Argument { get; } = argument;
}
