// Counts on real IL that no emitted method is so large that the JIT would stop optimising it.
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using ModelCompiler.Emission;
using ModelCompiler.Graph;
using ModelCompiler.Kernels;
using ModelCompiler.Operators;
using ModelCompiler.Planning;

namespace ModelCompiler.Tests.Kernels;

/// <summary>Bytes of IL and number of locals of one method.</summary>
/// <param name="Name">With the names of its classes, and without the namespace: <c>LeNet5.Training.RunTraining</c>.</param>
public sealed record MethodSize(string Name, int IlBytes, int Locals)
{
    /// <summary>Sizes of all methods in an assembly.</summary>
    public static List<MethodSize> Of(byte[] image)
    {
        using var file = new PEReader(new MemoryStream(image));
        var metadata = file.GetMetadataReader();
        var sizes = new List<MethodSize>();
        foreach (var method in metadata.MethodDefinitions.Select(metadata.GetMethodDefinition).Where(m => m.RelativeVirtualAddress != 0))
        {
            var body = file.GetMethodBody(method.RelativeVirtualAddress);
            var locals = 0;
            if (!body.LocalSignature.IsNil)
            {
                var signature = metadata.GetBlobReader(metadata.GetStandaloneSignature(body.LocalSignature).Signature);
                signature.ReadSignatureHeader();
                locals = signature.ReadCompressedInteger();
            }

            sizes.Add(new MethodSize(Path(metadata, method), body.GetILBytes()!.Length, locals));
        }

        return sizes;
    }

    private static string Path(MetadataReader metadata, MethodDefinition method)
    {
        var path = metadata.GetString(method.Name);
        for (var type = method.GetDeclaringType(); !type.IsNil; type = metadata.GetTypeDefinition(type).GetDeclaringType())
        {
            path = $"{metadata.GetString(metadata.GetTypeDefinition(type).Name)}.{path}";
        }

        return path;
    }

    /// <summary>Asserts <see cref="JitBudget"/> for every method in an assembly.</summary>
    public static void AssertWithinBudget(byte[] image) => Assert.All(Of(image), m =>
    {
        Assert.True(m.IlBytes <= JitBudget.MaxIlBytes, $"{m.Name} has {m.IlBytes} bytes of IL.");
        Assert.True(m.Locals <= JitBudget.MaxLocals, $"{m.Name} has {m.Locals} locals.");
    });
}

public class JitBudgetTests
{
    [Fact]
    public void LargestKernelsStayWithinTheBudget()
    {
        Window Square(int k, int s, int p) => new([k, k], [s, s], [p, p], [p, p], [1, 1]);
        Layout Blocked(int c, int size) => new(LayoutKind.Blocked, Shape.Of(c, size, size), new Halo(0, 0, 1, 1, 1, 1));
        Layout Flat(params int[] sizes) => new(LayoutKind.Flat, Shape.Of(sizes));
        Expression x = new InputFormula(0), y = new InputFormula(1);
        var gelu = x * new UnaryFormula(UnaryFunction.NormalCdf, x);
        var long20 = Enumerable.Range(0, 20).Aggregate(gelu, (sum, i) => (sum * y) + new UnaryFormula(UnaryFunction.Tanh, sum + i));
        var compiled = new CompiledKernels(
            new MaxPoolKernel(Square(5, 1, 2), Blocked(64, 13), Blocked(64, 13)),
            new MaxPoolKernel(Square(13, 1, 6), Blocked(64, 13), Blocked(64, 13)),
            new MaxPoolWinnersKernel(Square(4, 1, 2), Blocked(64, 13), Blocked(64, 14), Blocked(64, 14)),
            new MaxPoolWinnersKernel(Square(13, 1, 6), Blocked(64, 13), Blocked(64, 13), Blocked(64, 13)),
            new MaxPoolGradientKernel(Square(5, 1, 2), Blocked(64, 13), Blocked(64, 13), Blocked(64, 13)),
            new MaxPoolGradientKernel(Square(13, 1, 6), Blocked(64, 13), Blocked(64, 13), Blocked(64, 13)),
            new AveragePoolKernel(Square(5, 1, 2), false, Blocked(64, 13), Blocked(64, 13)),
            new AveragePoolGradientKernel(Square(5, 1, 2), true, Blocked(64, 13), Blocked(64, 13)),
            new PointwiseKernel(long20, [Flat(5, 31), Flat(5, 31)], Flat(5, 31)),
            new ReduceKernel(ReduceKind.Sum, [long20, x * y, x], [Flat(5, 1000, 31), Flat(5, 1000, 31)], [1], Flat(5, 1, 31)),
            new ReduceKernel(ReduceKind.Sum, [long20, x * y, x], [Blocked(64, 13), Blocked(64, 13)], [1, 2], new(LayoutKind.Blocked, Shape.Of(64, 1, 1)), KernelScope.Batch),
            new DepthwiseKernel(Square(5, 1, 0), Blocked(64, 19), Blocked(64, 15), true, x * new UnaryFormula(UnaryFunction.Sigmoid, x), []),
            new DepthwiseWeightGradientKernel(Square(7, 1, 0), Blocked(64, 19), Blocked(64, 13)),
            new WinogradKernel(4, Blocked(37, 13), Blocked(80, 13), 1, 1, true, gelu * y, [new FusedOperand(0, Layout.Lanes, default)]),
            new WinogradKernel(
                4, new(LayoutKind.Blocked, Shape.Of(37, 5, 13, 13), new Halo(1, 1, 1, 1, 1, 1)), new(LayoutKind.Blocked, Shape.Of(80, 5, 13, 13)), 1, 1, true, gelu * y,
                [new FusedOperand(0, Layout.Lanes, default)], DepthTaps: 3, PadDepth: 1),
            new WinogradKernel(4, Blocked(337, 13), Blocked(80, 13), 1, 1, true, gelu * y, [new FusedOperand(0, Layout.Lanes, default)], Filters: WinogradFilterForm.Ordered),
            new WinogradKernel(4, Blocked(337, 13), Blocked(80, 13), 1, 1, true, gelu * y, [new FusedOperand(0, Layout.Lanes, default)], Filters: WinogradFilterForm.Flat),
            new WinogradWeightGradientKernel(4, Blocked(37, 13), Blocked(80, 13), 1, 1, 8),
            new MomentsKernel(Blocked(37, 13), new Layout(LayoutKind.Blocked, Shape.Of(37, 1, 1))),
            new PackWinogradKernel(4, 37, 80, 2),
            StrassenKernelTests.Kernel((96, 128, 29, 31, 1, true), gelu * y),
            new PackWinogradKernel(4, 37, 80, 2, Turned: true),
            new MaxPoolPlacesKernel(Square(13, 1, 6), Blocked(64, 13), Blocked(64, 13)),
            new TopPlacesKernel(Shape.Of(7, 1003), 1, 5),
            new SoftmaxKernel(Shape.Of(7, 1003), 1, true),
            new SoftmaxKernel(Shape.Of(1003, 31), 0, false),
            CopyKernel.Concat(Blocked(37, 9), Blocked(80, 9), 0, 7));
        MethodSize.AssertWithinBudget(compiled.Image);
    }
}
