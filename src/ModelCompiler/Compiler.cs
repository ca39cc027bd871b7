// The pipeline on one screen: text → syntax → graph → gradient → plan → C#.
using System.Collections.Immutable;
using ModelCompiler.Grammar;
using ModelCompiler.Graph;

namespace ModelCompiler;

/// <summary>Finds the text of imported files; the host decides where they may come from. Returns null when there is none.</summary>
public delegate SourceFile? ImportResolver(string fromPath, string importPath);

/// <summary>A network ready to be planned, or to be looked at.</summary>
public sealed record EvaluatedFile(ImmutableArray<NetworkGraph> Networks, ImmutableArray<Diagnostic> Diagnostics);

/// <summary>C# for one network.</summary>
/// <param name="HintName">File name that is unique in the project: carries the folder.</param>
public sealed record EmittedNetwork(string Name, string HintName, string Source);
