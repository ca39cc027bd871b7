// Generated code keeps what there is to say of parameters and layers as text; every form that occurs is read back.
namespace ModelCompiler.Runtime.Tests;

public class InfoTextTests
{
    [Fact]
    public void ParametersAreRead()
    {
        var parameters = ParameterInfo.List("a.0.weight | 64x3x7x7 | 16 | trained | KaimingUniform | 1.4142135 | 147 | 3136\r\nscale | scalar | 9424 | fixed | Constant | -1E-05 | 0 | 0");
        Assert.Equal(2, parameters.Length);
        Assert.Equal(new ParameterInfo("a.0.weight", parameters[0].Shape, 16, true, InitializerKind.KaimingUniform, 1.4142135f, 147, 3136), parameters[0]);
        Assert.Equal([64, 3, 7, 7], parameters[0].Shape);
        Assert.Equal(new ParameterInfo("scale", parameters[1].Shape, 9424, false, InitializerKind.Constant, -1e-5f), parameters[1]);
        Assert.Empty(parameters[1].Shape);
    }

    [Fact]
    public void EveryInitializerHasItsName()
    {
        foreach (var kind in Enum.GetValues<InitializerKind>())
        {
            Assert.Equal(kind, ParameterInfo.List($"w | 2 | 0 | trained | {kind} | 0 | 2 | 2")[0].Initializer);
        }
    }

    [Fact]
    public void LayersAreReadWithWhateverTheirKernelSays()
    {
        var layer = Assert.Single(LayerInfo.List("layer1.0 | conv | 64x56x56 | 36864 | 115605504 | direct 1x14x2 + a | b"));
        Assert.Equal(new LayerInfo("layer1.0", "conv", layer.OutputShape, 36864, 115605504, "direct 1x14x2 + a | b"), layer);
        Assert.Equal([64, 56, 56], layer.OutputShape);
    }

    [Theory]
    [InlineData("layer1.0 | conv | 64x56x56")]
    [InlineData("layer1.0 | conv | 64xx56 | 1 | 2 | direct")]
    [InlineData("")]
    public void OtherTextIsRefused(string text) => Assert.Throws<FormatException>(() => LayerInfo.List(text));
}
