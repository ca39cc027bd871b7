// Writes the C# of a product by Strassen's algorithm: the seven products of some pixels and a group of output blocks, one
// after another, and the sums that complete outputs as soon as their products are there. The micro-kernel is that of direct
// convolution; sizes are numbers, so that layers of one tile and formula share the code.
using System.Globalization;
using ModelCompiler.Emission;
using ModelCompiler.Planning;

namespace ModelCompiler.Kernels;

internal sealed class StrassenEmitter(StrassenKernel kernel, Isa isa)
{
    private readonly int blocks = kernel.Tile.Blocks;
    private readonly bool readsQuarters = Strassen.ReadsQuarters(kernel.Direct);

    /// <summary>Everything that decides the code on this instruction set.</summary>
    public string Structure => string.Join("|", [
        N(blocks), readsQuarters ? "quarters" : "", kernel.Completes ? "completes" : "", kernel.Bias ? "bias" : "", kernel.Formula is null ? "" : new FormulaProgram([kernel.Formula]).Text,
        string.Join(";", kernel.Fused.Select(e => e.IsVector ? "v" : "")), .. Tiles().SelectMany(t => new[] { Micro(t.Tile).Name, Micro(t.Tile, makes: true).Name }), .. kernel.Completes ? Tiles().Select(t => Last(t.Tile).Name) : []]);

    public void Emit(KernelWriter writer)
    {
        writer.OpenMethod().OpenUnits();
        writer.Line($"int group = unit % groups, span = unit / groups, block = group * {N(2 * blocks)}, first = span * spanPixels, pixels = span == spans - 1 ? half - first : spanPixels;");
        writer.Line($"long sumBlock = half * 16L, outputBlock = mostPixels * 16L, inputFactor = inputBlocks * sumBlock, weightFactor = inputBlocks * {N(256 * blocks)}L;");
        writer.Line($"float* w11 = w + group * {N(Strassen.Kept)}L * weightFactor, w21 = w11 + weightFactor, t = w21 + weightFactor, w22 = t + weightFactor;");
        writer.Line($"float* p = scratch, q = p + {N(blocks)} * outputBlock, r = q + {N(blocks)} * outputBlock, s = r + {N(blocks)} * outputBlock, near = s + {N(blocks)} * outputBlock, nearer = near + weightFactor;");
        if (AsksAhead)
        {
            writer.Line($"int calls = (pixels + {N(Columns - 1)}) / {N(Columns)};");
        }

        writer.Open($"for (int product = 0; product < {N(Strassen.Products)}; product++)");
        EmitRightFactor(writer);
        writer.Line("int second = product is 4 or 6 ? otherPixels : 0, channels = product is 4 or 5 ? block + " + N(blocks) + " : block;");
        if (readsQuarters)
        {
            writer.Line("bool isQuarter = product is 0 or 1 or 6;").Line("long inputBlock = isQuarter ? xBlock : sumBlock;");
            writer.Line("float* left = (isQuarter ? x + (product == 0 ? 0 : inputBlocks * inputBlock) + (product == 6 ? otherPixels * 16L : 0) : u + (product - 2) * inputFactor) + first * 16L;");
        }
        else
        {
            writer.Line("long inputBlock = sumBlock;").Line("float* left = u + product * inputFactor + first * 16L;");
        }

        if (kernel.Completes)
        {
            writer.Open("if (product is 1 or 5 or 6)").Line("float* sums = product == 5 ? r : p;");
            EmitCalls(writer, Last, LastArguments, "0", "pixels", isLast: true);
            writer.Line("continue;").Close();
        }

        writer.Line("float* sum = product switch { 0 => p, 3 => s, 4 => r, _ => q };");
        IEnumerable<string> Arguments(int b) => ["left", Weights(b), b == 0 ? "sum" : $"sum + {N(b)} * outputBlock"];
        writer.Line("int done = 0;").Open("if (product is 2 or 3 or 4)");
        EmitCalls(writer, t => Micro(t, makes: true), Arguments, "0", "1");
        writer.Line($"done = {N(Columns)};").Line("right = made;");
        if (AsksAhead)
        {
            writer.Line("ahead += aheadFloats;");
        }

        writer.Close();
        EmitCalls(writer, t => Micro(t), Arguments, "done", "pixels");
        writer.Open("if (product == 4)");
        EmitCombination(writer);
        writer.Close();
        writer.Open(kernel.Completes ? "if (product == 4)" : "if (product == 1 || product >= 4)");
        writer.Line("// Of an odd number of pixels both halves have the one in the middle, and the first one completes it.");
        writer.Line($"int skipped = second > 0 && first == 0 ? half - otherPixels : 0;");
        var (sums, others) = kernel.Completes ? ("r", "s") : ("(product is 1 or 6 ? p : r)", "(product == 4 ? s : q)");
        writer.Line(writer.Call("Finish", $"{sums} + skipped * 16, {others} + skipped * 16, {string.Join(", ", Operands)}, channels, first + skipped + second, pixels - skipped") + ";");
        writer.Close().Close().Close().Close().Line();
        EmitFinish(writer);
    }

    private static string N(long value) => Literals.Int(value);

    private bool AsksAhead => isa != Isa.Vector128;

    /// <summary>Columns of the register tile that asks for weights.</summary>
    private int Columns => Tiles().First().Tile.Columns;

    private static string Weights(int block) => block == 0 ? "right" : $"right + {N(block * Layout.Lanes)}";

    /// <summary>Behind the products: bias, operands of the formula, outputs.</summary>
    private IEnumerable<string> Operands => [.. kernel.Bias ? ["bias"] : Array.Empty<string>(), .. kernel.Fused.Select((_, i) => $"e{N(i)}"), "y"];

    /// <summary>The register tiles that the blocks of a group's half are cut into.</summary>
    private IEnumerable<(Tile Tile, int Block)> Tiles()
    {
        var full = kernel.Tile.Narrowed(isa);
        for (var b = 0; b < blocks; b += full.Blocks)
        {
            yield return (full with { Blocks = Math.Min(full.Blocks, blocks - b) }, b);
        }
    }

    private ConvolutionMicroEmitter Micro(Tile tile, bool makes = false) => new(kernel.Product, isa, tile, blocks)
    {
        AsksAhead = AsksAhead, PrefetchesNextBlock = isa != Isa.Vector128, PrefetchesOutput = isa != Isa.Vector128, MakesWeights = makes,
    };

    private ConvolutionMicroEmitter Last(Tile tile) => new(kernel.LastProduct, isa, tile, blocks)
    {
        AsksAhead = AsksAhead, PrefetchesNextBlock = isa != Isa.Vector128,
        PrefetchesOutput = isa != Isa.Vector128 && kernel.Direct.OutputStep.Columns == Layout.Lanes && kernel.Fused.All(e => e.Step.Columns is 0 or Layout.Lanes),
    };

    /// <summary>Some pixels of one product of a unit, by as many tiles as its blocks take.</summary>
    private void EmitCalls(KernelWriter writer, Func<Tile, ConvolutionMicroEmitter> emitter, Func<int, IEnumerable<string>> operands, string first, string last, bool isLast = false)
    {
        foreach (var (tile, block) in Tiles())
        {
            var micro = emitter(tile);
            string[] arguments =
            [
                .. operands(block), .. !AsksAhead ? Array.Empty<string>() : block == 0 ? ["ahead", "aheadFloats", "aheadLines"] : ["right", "0", "1"],
                first, last, "pixels", .. micro.Numbers.Select(n => Argument(n.Name, isLast)),
            ];
            writer.Line($"{writer.Share(micro.Name, micro.Emit)}({string.Join(", ", arguments)});");
        }
    }

    /// <summary>What a number of a micro-kernel is. The last product's first operand is a sum in scratch memory, and its outputs are the layer's.</summary>
    private static string Argument(string number, bool isLast) => number switch
    {
        "e0Block" => "outputBlock",
        "outputBlock" when isLast => "yBlock",
        "less" or "made" => number + " - right",
        _ when number[0] == 'e' => $"e{N(int.Parse(number.Substring(1, number.Length - "eBlock".Length), CultureInfo.InvariantCulture) - 1)}Block",
        _ => number,
    };

    private IEnumerable<string> LastArguments(int block)
    {
        var at = block == 0 ? "channels" : $"(channels + {N(block)})";
        string Place(string name) => $"{name} + (long){at} * {name}Block + (first + second) * {name}Column";
        return
        [
            "left", Weights(block), .. kernel.Bias ? [$"bias + {at} * 16"] : Array.Empty<string>(), block == 0 ? "sums" : $"sums + {N(block)} * outputBlock",
            .. kernel.Fused.Select((e, i) => e.IsVector ? $"e{N(i)} + {at} * 16" : Place($"e{N(i)}")), Place("y"),
        ];
    }

    /// <summary>What a right factor is: kept, or a difference of two others that the first tile makes, from where it goes.</summary>
    private void EmitRightFactor(SourceWriter writer)
    {
        writer.Line("float* right = product switch { 0 => w11, 1 or 2 => w21, 3 => near, 4 or 5 => w22, _ => t }, less = product switch { 2 => t, 3 => w11, _ => near }, made = product == 2 ? near : nearer;");
        if (AsksAhead)
        {
            writer.Line("// While a product is computed kept weights that are needed later come nearer: a factor by each of the first three, and by the others together the first one of the next group.");
            writer.Line("bool isStart = product < 3;").Line("long coming = isStart ? weightFactor : weightFactor / 4, aheadFloats = (coming / 16 + calls - 1) / calls * 16;");
            writer.Line("float* ahead = isStart ? w11 + (product + 1) * coming : w22 + weightFactor + (product - 3) * coming;").Line($"int aheadLines = ((isStart ? {N(blocks - 1)} : {N(((blocks + 3) / 4) - 1)}) + calls) / calls;");
        }
    }

    /// <summary>From P1, P6, P7 and P5: in r what y12 and y22 begin with, in p what y21 does.</summary>
    private void EmitCombination(SourceWriter writer)
    {
        writer.Open($"for (int b = 0; b < {N(blocks)}; b++)").Line("float* p1 = p + b * outputBlock, q1 = q + b * outputBlock, r1 = r + b * outputBlock, s1 = s + b * outputBlock;");
        writer.Open("for (int pixel = 0; pixel < pixels; pixel++, p1 += 16, q1 += 16, r1 += 16, s1 += 16)");
        for (var part = 0; part < isa.Parts; part++)
        {
            writer.Open("").Line($"var both = {isa.Load("p1" + isa.Part(part))} + {isa.Load("q1" + isa.Part(part))};").Line(isa.Store("r1" + isa.Part(part), $"{isa.Load("r1" + isa.Part(part))} + both"));
            writer.Line(isa.Store("p1" + isa.Part(part), $"{isa.Load("s1" + isa.Part(part))} + both")).Close();
        }

        writer.Close().Close();
    }

    /// <summary>Outputs of some pixels and the blocks of a group's half, from two sums.</summary>
    private void EmitFinish(KernelWriter writer)
    {
        writer.OpenHelper("Finish", $"float* sums, float* others, {string.Join(", ", Operands.Select(o => $"float* {o}"))}, int firstBlock, int firstPixel, int pixels");
        var formula = kernel.Formula is null ? null : new FormulaEmitter(isa, kernel.Formula);
        formula?.Prepare(writer);
        var places = kernel.Fused.Select((_, i) => (Name: $"e{N(i)}", At: $"f{N(i)}")).Prepend((Name: "y", At: "to")).ToList();
        writer.Open($"for (int b = 0; b < {N(blocks)}; b++)");
        writer.Line("int block = firstBlock + b, row = firstPixel / columns, column = firstPixel % columns, left = pixels;");
        writer.Line("float* from = sums + b * mostPixels * 16L, other = others + b * mostPixels * 16L;");
        foreach (var (name, at) in places)
        {
            writer.Line($"float* {at} = {name} + (long)block * {name}Block + row * {name}Row + column * {name}Column;");
        }

        if (kernel.Bias)
        {
            for (var part = 0; part < isa.Parts; part++)
            {
                writer.Line($"var bias{N(part)} = {isa.Load("bias + block * 16" + isa.Part(part))};");
            }
        }

        writer.Open("while (left > 0)").Line("int run = Math.Min(left, columns - column);");
        writer.Open($"for (int i = 0; i < run; i++, from += 16, other += 16, {string.Join(", ", places.Select(p => $"{p.At} += {p.Name}Column"))})");
        for (var part = 0; part < isa.Parts; part++)
        {
            writer.Open("").Line($"var sum = {isa.Load("from" + isa.Part(part))} + {isa.Load("other" + isa.Part(part))}{(kernel.Bias ? $" + bias{N(part)}" : "")};");
            var value = formula is null ? "sum" : formula.ApplyOne(writer, index => index == 0 ? "sum" : isa.Load($"f{N(index - 1)}{isa.Part(part)}"), $"_{N(part)}");
            writer.Line(isa.Store("to" + isa.Part(part), value)).Close();
        }

        writer.Close().Line("left -= run;").Line("column = 0;");
        foreach (var (name, at) in places)
        {
            writer.Line($"{at} += {name}Row - columns * {name}Column;");
        }

        writer.Close().Close().Close().Line();
    }
}
