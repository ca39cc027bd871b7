// One network: from its declaration and arguments to its graph. Other files of this class evaluate expressions,
// calls, flows and arithmetic.
using System.Collections.Immutable;
using ModelCompiler.Grammar;
using ModelCompiler.Graph;
using ModelCompiler.Operators;

namespace ModelCompiler.Evaluation;

/// <summary>A network to evaluate: its own name and place, the declaration with the body, and arguments for that.</summary>
internal sealed record NetworkRequest(
    NameSyntax Name, SourceFile File, NetworkSyntax Body, SourceFile BodyFile, ImmutableArray<ArgumentSyntax> Arguments);

/// <summary>A layer whose path is not known yet.</summary>
internal sealed record LayerRecord(
    PathScope Path, string Operator, string Description, ImmutableArray<Node> Inputs, ImmutableArray<Node> Outputs, ImmutableArray<Node> Parameters, SourceSpan Place);

internal sealed partial class NetworkEvaluation
{
    private readonly FileSet networks;
    private readonly Reporter reporter;
    private readonly Inspector? inspector;
    private readonly ArgumentBinder binder;
    private readonly Budget budget = new();
    private readonly GraphBuilder builder = new();
    private readonly Dictionary<SourceFile, Scope> fileScopes = new();
    private readonly Dictionary<string, PathScope> paths = new(StringComparer.Ordinal);
    private readonly Dictionary<(PathScope, string), (Node Node, int Pass)> parameters = new();
    private readonly List<LayerRecord> layers = new();
    private readonly HashSet<SharedStage> busyShared = new();
    private readonly Naming root;
    private int streams;

    // Numbers the uses of shared stages; 0 outside of them.
    private int pass;
    private int passes;
    private SourceSpan current;

    // Numbers the uses of `checkpoint`; 0 outside of them.
    private int checkpoint;
    private int checkpoints;

    public NetworkEvaluation(FileSet networks, Reporter reporter, Inspector? inspector)
    {
        this.inspector = inspector;
        this.networks = networks;
        this.reporter = reporter;
        binder = new ArgumentBinder(reporter);
        var top = new PathScope(null, null, "", [], default, 0);
        paths.Add(top.Token, top);
        var ids = 0;
        root = new Naming(top, numbered: false, () => ++ids) { Created = path => paths.Add(path.Token, path) };
    }

    /// <summary>Where the evaluation was when it failed, for reports of the compiler's own faults.</summary>
    public SourceSpan Current => current;

    /// <summary>The graph, or null when something was wrong (reported).</summary>
    public NetworkGraph? Run(NetworkRequest request)
    {
        var errors = reporter.Errors;
        var place = new SourceSpan(request.File, request.Name.Span);
        current = place;
        var derived = request.Name != request.Body.Name;
        var frame = derived ? new Frame(null, $"network '{request.Name.Text}'", place, "derived") : null;
        var arguments = ImmutableArray.CreateRange(request.Arguments.Select(argument =>
            new Argument(argument.Name, Evaluate(argument.Value, FileScope(request.File)), new SourceSpan(request.File, argument.Value.Span))));
        if (binder.Bind("network", request.Body.Name.Text, request.Body.Parameters, arguments, null) is not { } bound)
        {
            return null;
        }

        if (request.Body.Parameters.FirstOrDefault(p => p.Default is null && !bound.ContainsKey(p.Name.Text)) is { } missing)
        {
            reporter.Error("CNN2003", place, $"network '{request.Body.Name.Text}' needs '{missing.Name.Text}'", null);
            return null;
        }

        var body = new Scope(FileScope(request.BodyFile), request.BodyFile, root) { Frame = frame };
        DeclareParameters(request.Body.Parameters, bound, body);
        Declare(request.Body.Body, body);
        var ends = EvaluateBody(request.Body, body);
        return reporter.Errors > errors ? null : Finish(request.Name.Text, place, ends);
    }

    private NetworkEnds EvaluateBody(NetworkSyntax network, Scope scope)
    {
        var inputs = ImmutableArray.CreateBuilder<NamedNode>();
        var targets = ImmutableArray.CreateBuilder<NamedNode>();
        foreach (var statement in network.Body)
        {
            var (list, name) = statement switch
            {
                InputSyntax input => (inputs, input.Name.Text),
                TargetSyntax target => (targets, target.Name.Text),
                _ => (null, ""),
            };
            if (list is not null && scope.Names[name].Force() is TensorValue tensor)
            {
                list.Add(new NamedNode(name, tensor.Node));
            }
        }

        var outputs = ImmutableArray.CreateBuilder<NamedNode>();
        var unnamed = 0;
        foreach (var output in network.Body.OfType<OutputSyntax>())
        {
            var name = output.Name?.Text ?? (output.Value as NameExpression)?.Name ?? (++unnamed == 1 ? "output" : FormattableString.Invariant($"output{unnamed}"));
            if (EvaluateOutput(output, scope) is TensorValue tensor)
            {
                CheckTargets(name, tensor, output, targets, scope);
                outputs.Add(new NamedNode(name, tensor.Node));
            }
        }

        var losses = network.Body.OfType<LossSyntax>().Select(loss => EvaluateLoss(loss, scope)).ToList();
        EvaluateUnused(network.Body, scope);
        return new NetworkEnds(inputs.ToImmutable(), targets.ToImmutable(), outputs.ToImmutable(), losses.FirstOrDefault());
    }

    private Value EvaluateOutput(OutputSyntax output, Scope scope)
    {
        var value = output.Name is not null && scope.Names.TryGetValue(output.Name.Text, out var binding)
            ? binding.Force()
            : EvaluateTensors(output.Value, scope, "an output");
        return value is ListValue list
            ? Error("CNN2024", output.Value, scope, $"an output is one tensor, and this is {list.Describe()}; join it ('-> concat'), or give each an output of its own")
            : value;
    }

    private Node? EvaluateLoss(LossSyntax loss, Scope scope)
    {
        if (EvaluateTensors(loss.Value, scope, "a loss") is not { } value || value is ErrorValue)
        {
            return null;
        }

        if (value is not TensorValue { Shape.Rank: 0 } scalar)
        {
            Error("CNN2032", loss.Value, scope, $"a loss is one number, and this is {value.Describe()}; use a loss function such as 'cross_entropy(logits, label)', or '-> mean'");
            return null;
        }

        return scalar.Node.Batched ? builder.Mean(scalar.Node, [], overBatch: true) : scalar.Node;
    }

    private void CheckTargets(string name, TensorValue tensor, OutputSyntax output, IEnumerable<NamedNode> targets, Scope scope)
    {
        var reached = new HashSet<Node> { tensor.Node };
        for (var id = tensor.Node.Id; id >= 0; id--)
        {
            if (reached.Contains(builder.Nodes[id]))
            {
                reached.UnionWith(builder.Nodes[id].Inputs);
            }
        }

        if (targets.FirstOrDefault(target => reached.Contains(target.Node)) is { } used)
        {
            Error("CNN2031", output.Value, scope, $"the output '{name}' depends on the target '{used.Name}', which is only there in training; use it in 'loss'",
                new DiagnosticNote(scope.Names[used.Name].Place, $"'{used.Name}' is a target"));
        }
    }

    /// <summary>What nothing needs is not part of the network, but its mistakes are mistakes.</summary>
    private void EvaluateUnused(ImmutableArray<StatementSyntax> body, Scope scope)
    {
        var used = layers.Count;
        foreach (var name in body.OfType<BindingSyntax>().SelectMany(binding => binding.Names))
        {
            if (scope.Names.TryGetValue(name.Text, out var binding) && !binding.Evaluated)
            {
                binding.Force();
            }
        }

        layers.RemoveRange(used, layers.Count - used);
    }

    private int NextStream() => streams++;

    /// <summary>Makes a parameter of a layer, or finds it where the layer is shared.</summary>
    private Node Parameter(PathScope path, string name, Shape shape, Initializer initializer, bool trainable, SourceSpan place)
    {
        if (parameters.TryGetValue((path, name), out var known))
        {
            if (known.Pass == pass)
            {
                throw new OperatorException("CNN2022", null,
                    $"another layer of this scope has a '{name}' under the same name, because '_:' gave both none of their own; label one of them");
            }

            parameters[(path, name)] = (known.Node, pass);
            return known.Node.Shape.Equals(shape) ? known.Node : throw new OperatorException("CNN2036", null,
                $"the weights of a shared layer have one shape: '{name}' is {known.Node.Shape} since its first use, and this input would need {shape}; share it among inputs of one shape");
        }

        if (shape.Dimensions.Aggregate(1.0, (product, size) => product * size) > int.MaxValue)
        {
            throw new OperatorException("CNN3012", null, $"'{name}' would be {shape}, more than {int.MaxValue} numbers; use smaller sizes");
        }

        builder.Origin = new Origin(place, path.Token, checkpoint);
        var node = builder.Add(Primitives.Parameter, new ParameterAttributes(path.Token + "." + name, shape, initializer, trainable));
        parameters.Add((path, name), (node, pass));
        return node;
    }
}

/// <summary>What the outside knows of a network.</summary>
internal sealed record NetworkEnds(ImmutableArray<NamedNode> Inputs, ImmutableArray<NamedNode> Targets, ImmutableArray<NamedNode> Outputs, Node? Loss);
