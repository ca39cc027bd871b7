// Regions of all sizes on the zoo's pyramid: each is pooled from the map that torchvision's MultiScaleRoIAlign takes.
using ModelCompiler.Graph;
using ModelCompiler.Tests.Oracle;

namespace ModelCompiler.Tests.Evaluation;

public class RegionLevelTests
{
    private static readonly float[][] Boxes =
    [
        [10, 10, 121, 121], [10, 10, 122, 122], [20, 30, 76, 254], [8, 8, 231, 231], [8, 8, 232, 232], [8, 100, 456, 212],
        [9, 9, 456, 456], [9, 9, 457, 457], [30, 20, 478, 478], [8, 8, 12, 480], [100, 100, 100, 100],
    ];

    [Fact]
    public void EachRegionIsTakenFromTheMapOfItsSize()
    {
        // Maps of planes, x + 3y and a thousand for each level: between elements they go on straight, so a bin's mean is its middle.
        var maps = string.Concat(Enumerable.Range(0, 4).Select(i => $"    input map{4 << i}: 1x{128 >> i}x{128 >> i}\n"));
        var text = $"{File.ReadAllText(Repository.File("examples", "zoo", "common", "rcnn.cnn"))}\nnetwork Levels {{\n{maps}    input rois: {Boxes.Length}x4\n    output y = [[map4, map8, map16, map32], rois] -> AlignLevels(2)\n}}\n";
        var graph = Gradient.Lowering.ForInference(Evaluating.Network(text));
        var values = new Interpreter(1).Run(graph.Nodes, node => [Leaf(node)])[graph.Outputs.Single().Node][0];
        for (var (region, i) = (0, 0); region < Boxes.Length; region++)
        {
            var box = Boxes[region];
            var level = (int)Math.Clamp(Math.Floor(4 + Math.Log2(Math.Sqrt((box[2] - box[0]) * (box[3] - box[1])) / 224) + 1e-6), 2, 5) - 2;
            var scale = 0.25 / (1 << level);
            for (var bin = 0; bin < 4; bin++)
            {
                double Middle(int from, int place) => (box[from] * scale) + ((place + 0.5) * Math.Max((box[from + 2] - box[from]) * scale, 1) / 2);
                Assert.Equal((1000 * level) + Middle(0, bin % 2) + (3 * Middle(1, bin / 2)), values[i++], 1e-3);
            }
        }
    }

    private static double[] Leaf(Node node)
    {
        var name = node.As<InputAttributes>().Name;
        if (name == "rois")
        {
            return [.. Boxes.SelectMany(box => box).Select(v => (double)v)];
        }

        var (size, level) = (node.Shape[1], (int)Math.Log2(node.Shape[1]));
        return [.. Enumerable.Range(0, size * size).Select(i => (1000.0 * (7 - level)) + (i % size) + (3 * (i / size)))];
    }
}
