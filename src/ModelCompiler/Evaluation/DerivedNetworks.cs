// `network ResNet50 = ResNet(Bottleneck, [3, 4, 6, 3])`: finds the body that a derived network stands for.
using ModelCompiler.Grammar;

namespace ModelCompiler.Evaluation;

internal static class DerivedNetworks
{
    private const int MaximumChain = 100;

    public static NetworkRequest? Resolve(FileSet files, DerivedNetworkSyntax derived, Reporter reporter)
    {
        var (syntax, file) = (derived, files.Main.Source);
        var first = derived;
        for (var i = 0; i < MaximumChain; i++)
        {
            var value = syntax.Value is ParenthesizedExpression parenthesized ? parenthesized.Inner : syntax.Value;
            var call = value as CallExpression;
            var place = new SourceSpan(file, value.Span);
            if ((call?.Callee ?? value) is not NameExpression name)
            {
                reporter.Error("CNN2034", place, "a derived network is a network with arguments, as in 'network Small = Net(32)'");
                return null;
            }

            switch (files.FindNetwork(file, name.Name))
            {
                case (NetworkSyntax body, var home):
                    return new NetworkRequest(derived.Name, file, body, home, call?.Arguments ?? []);
                case (DerivedNetworkSyntax other, var home) when call is null || call.Arguments.IsEmpty:
                    (syntax, file) = (other, home);
                    first = other.Span.Start < first.Span.Start ? other : first;
                    continue;
                case (DerivedNetworkSyntax other, _):
                    reporter.Error("CNN2004", new SourceSpan(file, call.Arguments[0].Span), $"'{other.Name.Text}' is a derived network and takes no arguments; derive from the network it stands for");
                    return null;
                default:
                    var known = files.Unit(file).Names.Concat(files.Unit(file).Uses.SelectMany(use => use.Names));
                    if (Vocabulary.Knows(name.Name) || known.Any(other => other.Name.Text == name.Name))
                    {
                        reporter.Error("CNN2034", new SourceSpan(file, name.Span), $"'{name.Name}' is not a network; a derived network is a network with arguments");
                    }

                    return null;
            }
        }

        // Every network of the circle comes here; the first of them reports it.
        reporter.Error("CNN2013", new SourceSpan(file, first.Name.Span), $"network '{first.Name.Text}' is derived from itself");
        return null;
    }
}
