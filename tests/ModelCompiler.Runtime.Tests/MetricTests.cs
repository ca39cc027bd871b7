// Metrics on cases small enough to be counted by hand.
namespace ModelCompiler.Runtime.Tests;

public class MetricTests
{
    // Right, wrong, right, right, wrong, and one of four is never found: precision 1, 1/2, 2/3, 3/4, 3/5 at recall 1/4, 1/4, 2/4, 3/4, 3/4.
    private static readonly AveragePrecision Ranking = AveragePrecision.Of([0.9f, 0.8f, 0.7f, 0.6f, 0.5f], [true, false, true, true, false], positives: 4);

    [Fact]
    public void PrecisionAndRecallFollowTheRanking()
    {
        Assert.Equal([1, 1 / 2.0, 2 / 3.0, 3 / 4.0, 3 / 5.0], Ranking.Precision);
        Assert.Equal([0.25, 0.25, 0.5, 0.75, 0.75], Ranking.Recall);
    }

    [Fact]
    public void TheThreeDefinitionsOfAveragePrecisionDiffer()
    {
        // The envelope is 1 up to recall 1/4 and 3/4 up to 3/4.
        Assert.Equal((0.25 * 1) + (0.5 * 0.75), Ranking.Value(AveragePrecisionRule.Voc2010), 1e-15);
        Assert.Equal(((3 * 1) + (5 * 0.75)) / 11, Ranking.Value(AveragePrecisionRule.Voc2007), 1e-15);      // recalls 0, 0.1, 0.2 and 0.3 to 0.7
        Assert.Equal(((26 * 1) + (50 * 0.75)) / 101, Ranking.Value(AveragePrecisionRule.Coco), 1e-15);      // 0 to 0.25 and 0.26 to 0.75
    }

    [Theory]
    [InlineData(AveragePrecisionRule.Voc2007)]
    [InlineData(AveragePrecisionRule.Voc2010)]
    [InlineData(AveragePrecisionRule.Coco)]
    public void PerfectEmptyAndPointlessRankings(AveragePrecisionRule rule)
    {
        Assert.Equal(1, AveragePrecision.Of([3, 2, 1], [true, true, false], 2).Value(rule));
        Assert.Equal(0, AveragePrecision.Of([], [], 2).Value(rule));
        Assert.Equal(0, AveragePrecision.Of([1], [false], 2).Value(rule));
        Assert.True(double.IsNaN(AveragePrecision.Of([1], [false], 0).Value(rule)));

        // 3 of 10 is a recall of 0.3, and 7 of 20 of 0.35, although no double is either.
        var three = AveragePrecision.Of([3, 2, 1], [true, true, true], 10).Value(rule);
        Assert.Equal(rule switch { AveragePrecisionRule.Voc2007 => 4 / 11.0, AveragePrecisionRule.Coco => 31 / 101.0, _ => 0.3 }, three, 1e-15);
    }

    [Fact]
    public void RankingsThatCannotBeAreRefused()
    {
        Assert.Contains("2 scores need as many verdicts, not 1", Assert.Throws<ArgumentException>(() => AveragePrecision.Of([1, 2], [true], 1)).Message);
        Assert.Contains("score 0 is NaN", Assert.Throws<ArgumentException>(() => AveragePrecision.Of([float.NaN], [true], 1)).Message);
        Assert.Contains("2 answers are right, but there are only 1", Assert.Throws<ArgumentException>(() => AveragePrecision.Of([1, 2], [true, true], 1)).Message);
        Assert.Throws<ArgumentOutOfRangeException>(() => Ranking.Value((AveragePrecisionRule)9));
    }

    [Fact]
    public void DetectionsAreMatchedWithObjects()
    {
        var evaluation = new DetectionEvaluation(2);
        Box there = new(0, 0, 10, 10), half = new(0, 0, 10, 5), other = new(40, 40, 50, 50);
        evaluation.Add([new(there, 0, 0.6f), new(half, 0, 0.9f), new(other, 0, 0.3f), new(there, 1, 0.8f)], [new(there, 0), new(other, 0), new(other, 1)]);
        evaluation.Add([new(there, 0, 0.95f)], [new(there, 0, Difficult: true)]);
        Assert.Equal(2, evaluation.Images);

        // The half overlaps enough and comes first; the whole is then one too many. The difficult one counts for nobody.
        var first = evaluation.Of(0, AveragePrecisionRule.Voc2010);
        Assert.Equal(2, first.Positives);
        Assert.Equal([1, 1 / 2.0, 2 / 3.0], first.Precision);
        Assert.Equal((0.5 * 1) + (0.5 * 2 / 3), first.Value(AveragePrecisionRule.Voc2010), 1e-15);
        Assert.Equal(0, evaluation.Of(1, AveragePrecisionRule.Voc2010).Value(AveragePrecisionRule.Voc2010));
        Assert.Equal(5 / 12.0, evaluation.MeanAveragePrecision(AveragePrecisionRule.Voc2010), 1e-15);

        // At 0.55 the half is wrong and the whole right.
        Assert.Equal([0, 1 / 2.0, 2 / 3.0], evaluation.Of(0, AveragePrecisionRule.Coco, 0.55).Precision);
        var coco = ((((51 * 1) + (50 * 2 / 3.0)) / 101) + (9 * (2 / 3.0))) / 10 / 2;
        Assert.Equal(coco, evaluation.CocoMeanAveragePrecision(), 1e-12);
    }

    [Fact]
    public void VocAndCocoMatchDifferently()
    {
        // Both answers overlap the first object most; by VOC's rules the second answer is one too many, by COCO's it takes the second object.
        Box first = new(0, 0, 10, 10), second = new(2, 0, 12, 10), between = new(1, 0, 11, 10) { X1 = 0.5f };
        var evaluation = new DetectionEvaluation(1);
        evaluation.Add([new(first, 0, 0.9f), new(between, 0, 0.8f)], [new(first, 0), new(second, 0)]);
        Assert.Equal([1, 0.5], evaluation.Of(0, AveragePrecisionRule.Voc2010).Precision);
        Assert.Equal([1, 1], evaluation.Of(0, AveragePrecisionRule.Coco).Precision);
    }

    [Fact]
    public void DetectionsThatCannotBeAreRefusedWhole()
    {
        var evaluation = new DetectionEvaluation(2);
        var box = new Box(0, 0, 1, 1);
        Assert.Contains("box 1 has class 2, outside 0 to 1", Assert.Throws<ArgumentException>(() => evaluation.Add([new(box, 0, 1), new(box, 2, 1)], [])).Message);
        Assert.Contains("box 0 has class -1", Assert.Throws<ArgumentException>(() => evaluation.Add([], [new(box, -1)])).Message);
        Assert.Contains("score 0 is ", Assert.Throws<ArgumentException>(() => evaluation.Add([new(box, 0, float.PositiveInfinity)], [])).Message);
        Assert.Equal(0, evaluation.Images);
        Assert.True(double.IsNaN(evaluation.MeanAveragePrecision(AveragePrecisionRule.Coco)));
        Assert.Throws<ArgumentOutOfRangeException>(() => evaluation.Of(2, AveragePrecisionRule.Coco));
        Assert.Throws<ArgumentOutOfRangeException>(() => evaluation.Of(0, AveragePrecisionRule.Coco, 0));
    }

    [Fact]
    public void AveragesOverClassesCountTheClassesThatAreUsed()
    {
        // Rows are truths: class 0 is right twice, once taken for 1; class 1 right once; class 2 taken for 0; class 3 never occurs.
        var confusion = new ConfusionMatrix(4, ignored: 255);
        confusion.Add([0, 0, 0, 1, 2, 255], [0, 0, 1, 1, 0, 3]);
        Assert.Equal((5, 3), (confusion.Total, confusion.Correct));
        Assert.Equal(0.6, confusion.Accuracy, 1e-15);
        Assert.Equal(((2 / 3.0) + (1 / 2.0) + 0) / 3, confusion.MacroPrecision, 1e-15);
        Assert.Equal(((2 / 3.0) + 1 + 0) / 3, confusion.MacroRecall, 1e-15);
        Assert.Equal(((4 / 6.0) + (2 / 3.0) + 0) / 3, confusion.MacroF1, 1e-15);
        Assert.Equal(((2 / 4.0) + (1 / 2.0) + 0) / 3, confusion.MeanIntersectionOverUnion, 1e-15);
        Assert.True(double.IsNaN(new ConfusionMatrix(2).MacroF1));
    }

    [Fact]
    public void ClassesOutOfRangeAreRefusedBeforeTheyAreCounted()
    {
        var confusion = new ConfusionMatrix(2);
        Assert.Throws<ArgumentOutOfRangeException>(() => confusion.Add(0, 2));
        Assert.Throws<ArgumentOutOfRangeException>(() => confusion.Add(255, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => confusion.Add([0, 1, -1], [0, 1, 1]));
        Assert.Throws<ArgumentException>(() => confusion.Add([0, 1], [0]));
        Assert.Equal(0, confusion.Total);
    }

    // 77 % dog, 71 % hat, 13 % cat: two of three labels are answered.
    [Fact]
    public void SeveralLabelsAtOnce()
    {
        var metrics = new MultiLabelMetrics(3, threshold: 0.5f);
        metrics.Add([0.77f, 0.71f, 0.13f], [1, 0, 1]);
        metrics.Add([0.5f, 0.2f, 0.9f], [1, 0, 0]);
        Assert.Equal(2 / 4.0, metrics.MicroPrecision);
        Assert.Equal(2 / 3.0, metrics.MicroRecall);
        Assert.Equal(4 / 7.0, metrics.MicroF1);
        Assert.Equal([1, 0, 0], [metrics.Precision(0), metrics.Precision(1), metrics.Precision(2)]);
        Assert.True(double.IsNaN(metrics.Recall(1)));
        Assert.Equal(1 / 3.0, metrics.MacroPrecision, 1e-15);
        Assert.Equal(1 / 3.0, metrics.MacroRecall, 1e-15);
        Assert.Equal(1 / 3.0, metrics.MacroF1, 1e-15);
        Assert.Contains("3 scores and as many truths, not 2 and 3", Assert.Throws<ArgumentException>(() => metrics.Add([1, 2], [0, 0, 0])).Message);
        Assert.Contains("class 2 has score NaN", Assert.Throws<ArgumentException>(() => metrics.Add([1, 1, float.NaN], [0, 0, 0])).Message);
        Assert.Contains("class 0 has score 1 and truth 0.5", Assert.Throws<ArgumentException>(() => metrics.Add([1, 1, 1], [0.5f, 0, 0])).Message);
        Assert.Equal(2 / 4.0, metrics.MicroPrecision);
    }
}
