// What is chosen by place, emitted, against the oracle: unpooling, ranks, gathering and regions, with places and boxes
// that networks compute, take in, or cannot use.
using ModelCompiler.Tests.Kernels;

namespace ModelCompiler.Tests.Emission;

public class EmittedSelectionTests
{
    /// <summary>Statements from inputs to 'logits' of 5 features.</summary>
    public static readonly TheoryData<string> Bodies =
    [
        "input image: 3x7x6\n values, places = image -> conv(17, 1x1) -> maxpool(2x2, places: true)\n logits = values -> conv(17, 3x3, pad: 1) -> max_unpool(places, 7x6) -> flatten -> dense(5)",
        "input image: 2x9\n values, places = image -> conv(3, 1) -> maxpool(3, stride: 2, pad: 1, places: true)\n logits = values -> max_unpool(places, 9) -> flatten -> dense(5)",
        "input image: 2x4x5x6\n values, places = image -> maxpool(2x3x2, stride: 3, places: true)\n logits = values -> max_unpool(places, 4x5x6) -> conv(2, 1) -> flatten -> dense(5)",
        "input image: 18x4x3\n most, places = image -> conv(18, 1x1) -> topk(3, axis: 1)\n logits = [most, places] -> add -> flatten -> dense(5)",
        "input image: 7x9\n most, where = image -> dense(19) -> topk(19, axis: -1)\n logits = most -> concat(image -> argmax(axis: 1), axis: 1) -> flatten -> dense(5)",
        "input image: 3x5x4\n input where: 3x2x4\n logits = image -> conv(3, 1x1) -> gather(where, axis: 1) -> flatten -> dense(5)",
        "input image: 6x5\n input where: 6x5\n logits = gather(image -> dense(5), where, axis: -1) -> index_select([3, 1, 1, 4], axis: 1) -> flatten -> dense(5)",
        "input image: 17x6x5\n input boxes: 3x4\n logits = image -> conv(17, 3x3, pad: 1) -> roi_pool(boxes, 3x2) -> flatten -> dense(5)",
        "input image: 2x9x8\n input boxes: 5x4\n logits = image -> conv(3, 1x1) -> roi_pool(boxes, 4, scale: 0.5) -> flatten -> dense(5)",
        "input image: 18x6x5\n input boxes: 3x4\n logits = image -> conv(18, 3x3, pad: 1) -> roi_align(boxes, 3x2, scale: 0.25) -> flatten -> dense(5)",
        "input image: 2x7x7\n input boxes: 2x4\n logits = image -> conv(3, 1x1) -> roi_align(boxes, 2, samples: 3, aligned: true) -> flatten -> dense(5)",
        "input image: 3x4x4\n still = image -> conv(2, 1x1) -> detach\n logits = still * (image -> conv(2, 1x1)) -> flatten -> dense(5)",
    ];

    [Theory]
    [MemberData(nameof(Bodies))]
    public void AgreeWithTheOracle(string body)
    {
        var compiled = Compile(body);
        foreach (var batch in new[] { 1, 5 })
        {
            OracleComparison.Run(compiled, batch);
        }
    }

    [Fact]
    [OnEveryHardware]
    public void AgreeOnThisHardware()
    {
        foreach (var body in new[] { 0, 2, 3, 8 })
        {
            AgreeWithTheOracle((string)((IEnumerable<object[]>)Bodies).ElementAt(body)[0]);
        }
    }

    [Theory]
    [InlineData("input image: 2x8x8\n input boxes: 2x4\n logits = image -> roi_align(boxes, 2, scale: 0.5) -> flatten -> dense(5)", "boxes", 6, 17,
        "input 'boxes': box 1 of sample 0, (0, 0) to (17, 0), does not lie in the plane from (0, 0) to (16, 16).")]
    [InlineData("input image: 2x8x8\n input boxes: 2x4\n logits = image -> roi_pool(boxes, 2) -> flatten -> dense(5)", "boxes", 0, 3,
        "input 'boxes': box 0 of sample 0, (3, 0) to (0, 0), does not lie in the plane from (0, 0) to (8, 8).")]
    [InlineData("input image: 3x4\n input where: 3x2\n logits = image -> gather(where, axis: 1) -> flatten -> dense(5)", "where", 3, 4,
        "input 'where': 4 at element 3 of sample 0 is no whole number from 0 to 3.")]
    [InlineData("input image: 3x4\n input where: 3x2\n logits = image -> gather(where, axis: 1) -> flatten -> dense(5)", "where", 3, 0.5,
        "input 'where': 0.5 at element 3 of sample 0 is no whole number from 0 to 3.")]
    [InlineData("input image: 3x4\n input where: 3x2\n logits = image -> gather(where, axis: 1) -> flatten -> dense(5)", "where", 2, double.NaN,
        "input 'where': NaN at element 2 of sample 0 is no whole number from 0 to 3.")]
    public void RefuseWhatTheyCannotUse(string body, string input, int element, double value, string message)
    {
        var compiled = Compile(body);
        using var training = compiled.Training(2);
        using var inference = compiled.Inference(2);
        training.Inputs.Single(i => i.Info.Name == input).Data[element] = (float)value;
        inference.Inputs.Single(i => i.Info.Name == input).Data[element] = (float)value;
        var before = training.Gradients.Storage.ToArray();
        Assert.Equal(message, Assert.Throws<InvalidOperationException>(training.ComputeGradients).Message);
        Assert.Equal(message, Assert.Throws<InvalidOperationException>(inference.Forward).Message);
        Assert.Equal(before, training.Gradients.Storage.ToArray());
        Assert.Equal(new float[10], inference.Outputs[0].Data.ToArray());
    }

    [Fact]
    public void RefuseLabelsThatAreNeitherClassNorIgnored()
    {
        var compiled = new CompiledText("network Net {\n input image: 3\n target label: class\n output y = image -> dense(4)\n loss cross_entropy(y, label, ignore_index: 255)\n}");
        using var training = compiled.Training(3);
        training.Targets[0].Classes[1] = 255;
        training.ComputeGradients();
        training.Targets[0].Classes[2] = 4;
        Assert.Equal(
            "target 'label': class 4 at sample 2 is outside 0 … 3 and is not 255, the label that is ignored.",
            Assert.Throws<InvalidOperationException>(training.ComputeGradients).Message);
    }

    /// <summary>Where nothing counts there is nothing to learn, and no 0/0.</summary>
    [Fact]
    public void IgnoreAWholeBatch()
    {
        var compiled = new CompiledText("network Net {\n input image: 3\n target label: class\n output y = image -> dense(4)\n loss cross_entropy(y, label, ignore_index: -100)\n}");
        using var training = compiled.Training(3);
        training.Targets[0].Classes.Fill(-100);
        training.ComputeGradients();
        Assert.Equal(0, training.Loss);
        Assert.All(training.Gradients.Storage.ToArray(), slope => Assert.Equal(0, slope));
    }

    private static CompiledText Compile(string body) =>
        new($"network Net {{\n {body}\n target label: class\n output logits\n loss cross_entropy(logits, label)\n}}\n");
}
