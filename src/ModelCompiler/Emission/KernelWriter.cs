// The methods of one kernel for one instruction set. Emitters write numbers by name; whether a name is a constant or
// a parameter depends on the network, so signatures are completed here, when all bodies are known: each method
// declares the constants that it uses, and helpers get the parameters that they use.
using System.Text;
using ModelCompiler.Kernels;

namespace ModelCompiler.Emission;

/// <param name="indentation">Levels, of the class that the methods are written into.</param>
public sealed class KernelWriter(Kernel kernel, int indentation = 0) : SourceWriter(indentation)
{
    // Where a method's own parameters go, and where a call passes them: the helper's suffix follows, up to the end mark.
    private const char Declared = '\uE000';
    private const char Passed = '\uE001';
    private const char End = '\uE002';
    private const string OwnName = "\uE003";
    private const int LineLength = 120;

    private readonly List<Method> methods = new();
    private readonly List<KernelNumber> numbers = new();
    private readonly Dictionary<string, Action<SourceWriter>> shared = new(StringComparer.Ordinal);
    private string? scanned;
    private readonly int margin = (indentation + 1) * 4;

    /// <summary>Stands for the kernel's name in what is written.</summary>
    public string Own => OwnName;

    /// <summary>Methods that kernels of several names call, by their names; the code of one is written once for all of them.</summary>
    public IReadOnlyDictionary<string, Action<SourceWriter>> Shared => shared;

    /// <summary>Makes sure that there is a method of this name, which tells everything that decides its code. Returns the name.</summary>
    /// <param name="write">Writes the whole method, which has no numbers but its own parameters.</param>
    public string Share(string name, Action<SourceWriter> write)
    {
        if (!shared.ContainsKey(name))
        {
            shared.Add(name, write);
        }

        return name;
    }

    /// <summary>Numbers that <see cref="N"/> has met, in the order of appearance.</summary>
    public IReadOnlyList<KernelNumber> Numbers => numbers;

    /// <summary>What is written, whatever the kernel's name and numbers are.</summary>
    public string Template => base.ToString();

    /// <summary>A number by its name; for kernels that do not list their numbers.</summary>
    public string N(string name, long value)
    {
        var known = numbers.FindIndex(n => n.Name == name);
        if (known < 0)
        {
            numbers.Add(new KernelNumber(name, value));
        }
        else if (numbers[known].Value != value)
        {
            throw new InvalidOperationException($"The number '{name}' is {numbers[known].Value} and {value} in one kernel.");
        }

        return name;
    }

    /// <summary>Attribute, signature and opening brace of the kernel's method.</summary>
    public KernelWriter OpenMethod()
    {
        Begin("", $"internal static void {OwnName}({kernel.Parameters}{Declared}{End}, int begin, int end)");
        return this;
    }

    /// <summary>The same for a private method that only this kernel calls, by <see cref="Call"/>.</summary>
    /// <param name="parameters">Without numbers; not empty.</param>
    public KernelWriter OpenHelper(string suffix, string parameters)
    {
        Begin(suffix, $"private static void {OwnName}_{suffix}({parameters}{Declared}{suffix}{End})");
        return this;
    }

    /// <summary>The call of a helper as text, without a semicolon.</summary>
    public string Call(string suffix, string arguments) => $"{OwnName}_{suffix}({arguments}{Passed}{suffix}{End})";

    public SourceWriter OpenUnits() => Open("for (var unit = begin; unit < end; unit++)");

    /// <summary>The numbers that the methods name; call it when all are written.</summary>
    public IEnumerable<string> Uses()
    {
        Scan();
        return methods.SelectMany(m => m.Uses).Distinct();
    }

    /// <summary>The finished text.</summary>
    /// <param name="parameters">Names of the numbers that are parameters.</param>
    public string Finish(IReadOnlyCollection<string> parameters)
    {
        var text = Scan();
        Spread(parameters);
        var result = new StringBuilder(text.Length + 256);
        var at = 0;
        foreach (var method in methods)
        {
            Copy(text, at, method.Body, parameters, result);
            WriteConstants(method, parameters, result);
            at = method.Body;
        }

        Copy(text, at, text.Length, parameters, result);
        return result.Replace(OwnName, kernel.Name).ToString();
    }

    private void Begin(string suffix, string signature)
    {
        var method = new Method(suffix) { Start = Length };
        Open(Kernel.Attribute + " " + signature);
        method.Body = Length;
        methods.Add(method);
    }

    /// <summary>The text, once it is known what its methods use.</summary>
    private string Scan()
    {
        if (scanned is null)
        {
            scanned = base.ToString();
            for (var i = 0; i < methods.Count; i++)
            {
                Scan(scanned, methods[i], i + 1 < methods.Count ? methods[i + 1].Start : scanned.Length);
            }
        }

        return scanned;
    }

    // Which numbers and helpers a body names.
    private void Scan(string text, Method method, int end)
    {
        var names = kernel.Numbers.Select(n => n.Name).ToArray();
        for (var i = method.Body; i < end;)
        {
            var c = text[i];
            if (c == Passed)
            {
                var stop = text.IndexOf(End, i);
                method.Calls.Add(text.Substring(i + 1, stop - i - 1));
                i = stop + 1;
            }
            else if (IsLetter(c))
            {
                var start = i;
                while (i < end && (IsLetter(text[i]) || text[i] is >= '0' and <= '9'))
                {
                    i++;
                }

                if (start > 0 && text[start - 1] != '.')
                {
                    foreach (var name in names)
                    {
                        if (name.Length == i - start && string.CompareOrdinal(text, start, name, 0, name.Length) == 0)
                        {
                            method.Uses.Add(name);
                        }
                    }
                }
            }
            else if (c is >= '0' and <= '9')
            {
                // A literal with its suffix is no name.
                while (i < end && (IsLetter(text[i]) || text[i] is (>= '0' and <= '9') or '.'))
                {
                    i++;
                }
            }
            else
            {
                i++;
            }
        }
    }

    // Who calls a helper has what the helper needs.
    private void Spread(IReadOnlyCollection<string> parameters)
    {
        methods.ForEach(m => m.Needs.UnionWith(m.Uses.Where(parameters.Contains)));
        for (var changed = true; changed;)
        {
            changed = false;
            foreach (var method in methods)
            {
                var before = method.Needs.Count;
                foreach (var call in method.Calls)
                {
                    method.Needs.UnionWith(methods.First(m => m.Suffix == call).Needs);
                }

                changed |= method.Needs.Count > before;
            }
        }
    }

    private void Copy(string text, int from, int to, IReadOnlyCollection<string> parameters, StringBuilder result)
    {
        while (from < to)
        {
            var mark = text.IndexOfAny([Declared, Passed], from, to - from);
            if (mark < 0)
            {
                result.Append(text, from, to - from);
                return;
            }

            result.Append(text, from, mark - from);
            var stop = text.IndexOf(End, mark);
            var suffix = text.Substring(mark + 1, stop - mark - 1);
            foreach (var name in Parameters(methods.First(m => m.Suffix == suffix), parameters))
            {
                result.Append(text[mark] == Declared ? ", int " : ", ").Append(name);
            }

            from = stop + 1;
        }
    }

    /// <summary>In the order of the kernel's numbers; the kernel's own method has all, whatever it uses.</summary>
    private IEnumerable<string> Parameters(Method method, IReadOnlyCollection<string> parameters) =>
        kernel.Numbers.Select(n => n.Name).Where(n => parameters.Contains(n) && (method.Suffix.Length == 0 || method.Needs.Contains(n)));

    private void WriteConstants(Method method, IReadOnlyCollection<string> parameters, StringBuilder result)
    {
        var line = "";
        foreach (var number in kernel.Numbers.Where(n => method.Uses.Contains(n.Name) && !parameters.Contains(n.Name)))
        {
            var declaration = $"{number.Name} = {Literals.Int(number.Value)}";
            if (line.Length > 0 && line.Length + declaration.Length > LineLength)
            {
                result.Append(' ', margin).Append(line).Append(";\n");
                line = "";
            }

            line += (line.Length == 0 ? "const int " : ", ") + declaration;
        }

        if (line.Length > 0)
        {
            result.Append(' ', margin).Append(line).Append(";\n");
        }
    }

    private static bool IsLetter(char c) => c is (>= 'a' and <= 'z') or (>= 'A' and <= 'Z') or '_';

    private sealed class Method(string suffix)
    {
        public string Suffix => suffix;

        /// <summary>Of the attribute.</summary>
        public int Start { get; init; }

        /// <summary>Behind the opening brace.</summary>
        public int Body { get; set; }

        public HashSet<string> Uses { get; } = new(StringComparer.Ordinal);

        public HashSet<string> Calls { get; } = new(StringComparer.Ordinal);

        /// <summary>Parameters that it or what it calls uses.</summary>
        public HashSet<string> Needs { get; } = new(StringComparer.Ordinal);
    }
}
