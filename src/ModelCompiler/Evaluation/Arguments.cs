// Fits what was written between parentheses to what an operator's signature or a block's parameters ask for.
using System.Collections.Immutable;
using System.Globalization;
using ModelCompiler.Grammar;
using ModelCompiler.Operators;

namespace ModelCompiler.Evaluation;

/// <summary>An evaluated argument.</summary>
/// <param name="Name">Null when positional.</param>
/// <param name="Place">The value's text.</param>
internal sealed record Argument(NameSyntax? Name, Value Value, SourceSpan Place);

/// <summary>Arguments that fit a signature: tensor inputs first, then the rest by name.</summary>
/// <param name="Text">As written, in short: <c>6, 5x5, pad: 2</c>.</param>
internal sealed record OperatorArguments(ImmutableArray<Argument> Inputs, ImmutableDictionary<string, Argument> Values, string Text);

internal sealed class ArgumentBinder(Reporter reporter)
{
    /// <summary>Returns null when something was wrong (reported, or erroneous before).</summary>
    /// <param name="flowing">How many tensors come by an arrow and not as arguments.</param>
    public OperatorArguments? Bind(Signature signature, ImmutableArray<Argument> arguments, SourceSpan callee, int flowing, Frame? frame)
    {
        var fine = arguments.All(argument => argument.Value is not ErrorValue);
        var inputs = new List<Argument>();
        var values = ImmutableDictionary.CreateBuilder<string, Argument>(StringComparer.Ordinal);
        var positional = new List<Argument>();
        foreach (var argument in arguments)
        {
            if (argument.Name is null)
            {
                var leading = positional.Count == 0 && (signature.Variadic || inputs.Count < signature.Inputs.Length - flowing);
                (leading && CarriesTensor(argument.Value) ? inputs : positional).Add(argument);
            }
            else if (signature.Inputs.Contains(argument.Name.Text) && CarriesTensor(argument.Value))
            {
                inputs.Add(argument);
            }
            else
            {
                fine &= AddNamed(signature, argument, values, frame);
            }
        }

        // What an erroneous value would have been decides which argument the ones behind it are.
        var known = !arguments.Any(argument => argument.Name is null && argument.Value is ErrorValue or ListValue { HasError: true });
        fine &= known;
        for (var i = 0; i < positional.Count && known; i++)
        {
            // Arguments in a wrong order or of a wrong count are one mistake.
            known = AddPositional(signature, positional, i, values, frame);
            fine &= known;
        }

        foreach (var spec in signature.Arguments)
        {
            if (spec.Default is null && !values.ContainsKey(spec.Name))
            {
                if (fine)
                {
                    reporter.Error("CNN2003", callee, $"'{signature.Name}' needs '{spec.Name}': {Usage(signature)}", frame);
                }

                fine = false;
            }
        }

        return fine ? new OperatorArguments(ImmutableArray.CreateRange(inputs), values.ToImmutable(), Text(arguments)) : null;
    }

    /// <summary>Arguments of a block or network by parameter name; null when something was wrong. Missing ones are not checked here.</summary>
    public ImmutableDictionary<string, Argument>? Bind(
        string kind, string name, ImmutableArray<ParameterSyntax> parameters, ImmutableArray<Argument> arguments, Frame? frame)
    {
        var fine = arguments.All(argument => argument.Value is not ErrorValue);
        var values = ImmutableDictionary.CreateBuilder<string, Argument>(StringComparer.Ordinal);
        var position = 0;
        foreach (var argument in arguments)
        {
            if (argument.Name is null && position >= parameters.Length)
            {
                reporter.Error("CNN2004", argument.Place, parameters.Length == 0
                    ? $"{kind} '{name}' takes no arguments"
                    : $"{kind} '{name}' takes {Count(parameters.Length, "argument")} at most: {string.Join(", ", parameters.Select(p => p.Name.Text))}", frame);
                return null;
            }

            var parameter = argument.Name?.Text ?? parameters[position++].Name.Text;
            if (!parameters.Any(p => p.Name.Text == parameter))
            {
                var known = parameters.Select(p => p.Name.Text);
                reporter.Error("CNN2002", new SourceSpan(argument.Place.File, argument.Name!.Span),
                    $"{kind} '{name}' has no argument '{parameter}'{Has(parameter, known)}", frame);
                fine = false;
            }
            else if (values.ContainsKey(parameter))
            {
                reporter.Error("CNN2007", argument.Place, $"'{parameter}' of '{name}' is given twice", frame);
                fine = false;
            }
            else
            {
                values.Add(parameter, argument);
            }
        }

        return fine ? values.ToImmutable() : null;
    }

    public static string Usage(Signature signature)
    {
        var needed = signature.Arguments.Where(spec => spec.Default is null).Select(spec => spec.Name);
        var more = signature.Arguments.Any(spec => spec.Default is not null) ? new[] { "…" } : [];
        return $"{signature.Name}({string.Join(", ", needed.Concat(more))})";
    }

    public static bool CarriesTensor(Value value) =>
        value is TensorValue or ListValue { CarriesTensor: true };

    public static string Count(int number, string noun) =>
        number.ToString(CultureInfo.InvariantCulture) + " " + noun + (number == 1 ? "" : "s");

    /// <summary>The argument that was meant, or else all there are.</summary>
    private static string Has(string name, IEnumerable<string> known)
    {
        var list = string.Join(", ", known);
        return Suggestions.DidYouMean(name, known) is { Length: > 0 } suggestion ? suggestion : list.Length == 0 ? "; it has none" : $"; it has {list}";
    }

    /// <summary>Arguments of other libraries that have no counterpart, because something else says it here.</summary>
    private static string? Elsewhere(string @operator, string name) => name switch
    {
        "in_channels" or "in_features" or "input_shape" or "num_features" or "input_size" or "input_dim" => "; the size of the input is known",
        "activation" => $"; an activation is a stage of its own: '{@operator}(…) -> relu'",
        "name" => $"; a layer gets its name from a label: 'name: {@operator}(…)'",
        "data_format" or "channels_last" => "; channels always come first",
        _ => null,
    };

    private static string Text(ImmutableArray<Argument> arguments) =>
        string.Join(", ", arguments.Where(argument => !CarriesTensor(argument.Value))
            .Select(argument => argument.Name is null ? argument.Value.Text : $"{argument.Name.Text}: {argument.Value.Text}"));

    private bool AddNamed(Signature signature, Argument argument, ImmutableDictionary<string, Argument>.Builder values, Frame? frame)
    {
        var name = argument.Name!.Text;
        var place = new SourceSpan(argument.Place.File, argument.Name.Span);
        var spec = signature.Arguments.FirstOrDefault(candidate => candidate.Name == name);
        if (spec is null)
        {
            var tensors = signature.Inputs.Length > 1 ? signature.Inputs.AsEnumerable() : [];
            var known = tensors.Concat(signature.Arguments.Select(candidate => candidate.Name)).ToList();
            reporter.Error("CNN2002", place, $"'{signature.Name}' has no argument '{name}'{Elsewhere(signature.Name, name) ?? Has(name, known)}", frame);
            return false;
        }

        if (values.ContainsKey(name))
        {
            reporter.Error("CNN2007", place, $"'{name}' of '{signature.Name}' is given twice", frame);
            return false;
        }

        values.Add(name, argument);
        return Check(signature, spec, argument, "", frame);
    }

    private bool AddPositional(
        Signature signature, List<Argument> positional, int index, ImmutableDictionary<string, Argument>.Builder values, Frame? frame)
    {
        var argument = positional[index];
        if (index >= signature.Arguments.Length)
        {
            if (index == signature.Arguments.Length)
            {
                reporter.Error("CNN2004", argument.Place, argument.Value is TensorValue && signature.Inputs.Length > 0
                    ? $"'{signature.Name}' takes {Count(signature.Inputs.Length, "tensor")}, and this is one too many"
                    : signature.Variadic ? $"'{signature.Name}' joins tensors, and this is {argument.Value.Describe()}"
                    : signature.Arguments.IsEmpty ? $"'{signature.Name}' takes no arguments" : $"'{signature.Name}' takes {Count(signature.Arguments.Length, "argument")} at most: {string.Join(", ", signature.Arguments.Select(known => known.Name))}", frame);
            }

            return false;
        }

        var spec = signature.Arguments[index];
        if (values.ContainsKey(spec.Name))
        {
            reporter.Error("CNN2007", argument.Place, $"'{spec.Name}' of '{signature.Name}' is given twice: by position and by name", frame);
            return false;
        }

        values.Add(spec.Name, argument);
        return Check(signature, spec, argument, Reordered(signature, positional, index), frame);
    }

    private bool Check(Signature signature, ArgumentSpec spec, Argument argument, string hint, Frame? frame)
    {
        if (argument.Value is ErrorValue)
        {
            return false;
        }

        if (!ArgumentKinds.Fits(spec, argument.Value))
        {
            var stray = argument.Value is TensorValue && hint.Length == 0 ? $"; a tensor flows in: 'x -> {signature.Name}(…)'"
                : hint.Length == 0 ? ArgumentKinds.Instead(spec, argument.Value)
                : hint;
            reporter.Error("CNN2005", argument.Place,
                $"'{spec.Name}' of '{signature.Name}' must be {ArgumentKinds.Expected(spec)}, and is {argument.Value.Describe()}{stray}", frame);
            return false;
        }

        if (ArgumentKinds.OutOfRange(spec, argument.Value) is { } range)
        {
            reporter.Error("CNN2006", argument.Place, $"'{spec.Name}' of '{signature.Name}' must be {range}, and is {argument.Value.Text}{(argument.Name is null && spec.Name == "eps" ? $"; the channels come from the input: write '{signature.Name}'" : "")}", frame);
            return false;
        }

        return true;
    }

    /// <summary>Arguments in the wrong order: says the right one, if exchanging two of them helps.</summary>
    private static string Reordered(Signature signature, List<Argument> positional, int index)
    {
        for (var other = index + 1; other < positional.Count && other < signature.Arguments.Length; other++)
        {
            if (ArgumentKinds.Fits(signature.Arguments[index], positional[other].Value) && ArgumentKinds.Fits(signature.Arguments[other], positional[index].Value))
            {
                var right = positional.Select(argument => argument.Value.Text).ToArray();
                (right[index], right[other]) = (right[other], right[index]);
                return $"; did you mean '{signature.Name}({string.Join(", ", right)})'?";
            }
        }

        // Other libraries give the size of the input first, which is known here.
        var rest = positional.Skip(1).ToList();
        var extra = index > 0 && rest.Count <= signature.Arguments.Length && rest.Select((argument, i) => ArgumentKinds.Fits(signature.Arguments[i], argument.Value)).All(fits => fits);
        return extra && positional[0].Value is IntegerValue
            ? $"; the size of the input is known: did you mean '{signature.Name}({string.Join(", ", rest.Select(argument => argument.Value.Text))})'?"
            : "";
    }
}
