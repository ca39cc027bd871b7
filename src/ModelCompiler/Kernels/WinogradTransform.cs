// Winograd's minimal filtering in one dimension: m outputs of a filter of three taps from m + 2 products instead of 3 m.
// Applied to rows and to columns it makes F(2x2, 3x3) and F(4x4, 3x3). Written for interpolation points 0, 1, -1
// (and 2, -2), whose matrices hold few and small numbers: few operations, small errors.
using ModelCompiler.Emission;

namespace ModelCompiler.Kernels;

/// <param name="Outputs">m, outputs of a tile along one axis: 2 or 4.</param>
internal sealed record WinogradTransform(int Outputs)
{
    /// <summary>Inputs of a tile, and products, along one axis.</summary>
    public int Inputs => Outputs + 2;

    /// <summary>Products of a tile.</summary>
    public int Points => Inputs * Inputs;

    /// <summary>Declares the constants that the other methods use.</summary>
    public void Constants(SourceWriter writer, Isa isa)
    {
        if (Outputs == 4)
        {
            writer.Line($"{isa.Type} two = {isa.Broadcast("2f")}, four = {isa.Broadcast("4f")}, eight = {isa.Broadcast("8f")}, minusFour = {isa.Broadcast("-4f")}, minusFive = {isa.Broadcast("-5f")};");
        }
    }

    /// <summary>Locals d0 … d(m+1), inputs, to o0 … o(m+1), what the filter's points are multiplied with.</summary>
    public void Input(SourceWriter writer, Isa isa)
    {
        if (Outputs == 2)
        {
            writer.Line("var o0 = d0 - d2;").Line("var o1 = d1 + d2;").Line("var o2 = d2 - d1;").Line("var o3 = d1 - d3;");
            return;
        }

        writer.Line($"var o0 = {isa.Fma("four", "d0", isa.Fma("minusFive", "d2", "d4"))};");
        writer.Line($"{isa.Type} even1 = {isa.Fma("minusFour", "d2", "d4")}, odd1 = {isa.Fma("minusFour", "d1", "d3")}, o1 = even1 + odd1, o2 = even1 - odd1;");
        writer.Line($"{isa.Type} even2 = d4 - d2, odd2 = two * (d3 - d1), o3 = even2 + odd2, o4 = even2 - odd2;");
        writer.Line($"var o5 = {isa.Fma("four", "d1", isa.Fma("minusFive", "d3", "d5"))};");
    }

    /// <summary>Locals d0 … d(m+1), products, to o0 … o(m-1), outputs.</summary>
    public void Output(SourceWriter writer, Isa isa)
    {
        if (Outputs == 2)
        {
            writer.Line("var o0 = d0 + d1 + d2;").Line("var o1 = d1 - d2 - d3;");
            return;
        }

        writer.Line($"{isa.Type} sum12 = d1 + d2, difference12 = d1 - d2, sum34 = d3 + d4, difference34 = d3 - d4;");
        writer.Line($"{isa.Type} o0 = d0 + sum12 + sum34, o1 = {isa.Fma("two", "difference34", "difference12")};");
        writer.Line($"{isa.Type} o2 = {isa.Fma("four", "sum34", "sum12")}, o3 = {isa.Fma("eight", "difference34", "difference12")} + d5;");
    }

    /// <summary>Locals d0 … d(m-1), gradients of outputs, to o0 … o(m+1), gradients of products: <see cref="Output"/> transposed.</summary>
    public void Gradient(SourceWriter writer, Isa isa)
    {
        if (Outputs == 2)
        {
            writer.Line($"{isa.Type} o0 = d0, o1 = d0 + d1, o2 = d0 - d1, o3 = -d1;");
            return;
        }

        writer.Line($"{isa.Type} even1 = d0 + d2, odd1 = d1 + d3, o0 = d0, o1 = even1 + odd1, o2 = even1 - odd1;");
        writer.Line($"{isa.Type} even2 = {isa.Fma("four", "d2", "d0")}, odd2 = two * {isa.Fma("four", "d3", "d1")}, o3 = even2 + odd2, o4 = even2 - odd2, o5 = d3;");
    }

    /// <summary>The gradient of tap <paramref name="tap"/> from those of the m + 2 points, as an expression: <see cref="Filter"/> transposed.</summary>
    public string FilterGradient(Isa isa, int tap, string[] s) => (Outputs, tap) switch
    {
        (2, 0) => $"{s[0]} + {Times(isa, 0.5, $"{s[1]} + {s[2]}")}",
        (2, 1) => Times(isa, 0.5, $"{s[1]} - {s[2]}"),
        (2, _) => $"{Times(isa, 0.5, $"{s[1]} + {s[2]}")} + {s[3]}",
        (_, 0) => $"{Times(isa, 0.25, s[0])} - {Times(isa, 1 / 6.0, $"{s[1]} + {s[2]}")} + {Times(isa, 1 / 24.0, $"{s[3]} + {s[4]}")}",
        (_, 1) => $"{Times(isa, 1 / 6.0, $"{s[2]} - {s[1]}")} + {Times(isa, 1 / 12.0, $"{s[3]} - {s[4]}")}",
        _ => $"{Times(isa, 1 / 6.0, $"({s[3]} + {s[4]}) - ({s[1]} + {s[2]})")} + {s[5]}",
    };

    /// <summary>Declares the constants that <see cref="Filter"/> uses.</summary>
    public void FilterConstants(SourceWriter writer, Isa isa)
    {
        string Constant(string name, double value) => $"{name} = {isa.Broadcast(Literals.Float((float)value))}";
        writer.Line($"{isa.Type} " + string.Join(", ", Outputs == 2
            ? [Constant("half", 0.5), Constant("minusHalf", -0.5)]
            : [Constant("quarter", 0.25), Constant("sixth", 1 / 6.0), Constant("minusSixth", -1 / 6.0), Constant("twelfth", 1 / 12.0), Constant("minusTwelfth", -1 / 12.0), Constant("twentyFourth", 1 / 24.0)]) + ";");
    }

    /// <summary>A filter with taps <paramref name="a"/>, <paramref name="b"/>, <paramref name="c"/> to its m + 2 points, locals <paramref name="name"/>0 ….</summary>
    public void Filter(SourceWriter writer, Isa isa, string name, string a, string b, string c)
    {
        if (Outputs == 2)
        {
            writer.Line($"var {name}s = half * ({a} + {c});");
            writer.Line($"{isa.Type} {name}0 = {a}, {name}1 = {isa.Fma("half", b, $"{name}s")}, {name}2 = {isa.Fma("minusHalf", b, $"{name}s")}, {name}3 = {c};");
            return;
        }

        writer.Line($"{isa.Type} {name}s = minusSixth * ({a} + {c}), {name}t = {isa.Fma("sixth", c, $"twentyFourth * {a}")};");
        writer.Line($"{isa.Type} {name}0 = quarter * {a}, {name}1 = {isa.Fma("minusSixth", b, $"{name}s")}, {name}2 = {isa.Fma("sixth", b, $"{name}s")}, "
            + $"{name}3 = {isa.Fma("twelfth", b, $"{name}t")}, {name}4 = {isa.Fma("minusTwelfth", b, $"{name}t")}, {name}5 = {c};");
    }

    private static string Times(Isa isa, double factor, string value) => $"{isa.Broadcast(Literals.Float((float)factor))} * ({value})";
}
