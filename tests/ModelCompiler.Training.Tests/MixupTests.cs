// Mixup mixes inputs and labels of the same pairs in the same proportion.
namespace ModelCompiler.Training.Tests;

public class MixupTests
{
    [Fact]
    public void PairsAndTheirLabelsAreMixedAlike()
    {
        // Sample n is n everywhere and of class n.
        var data = new Dataset([3, 9, 6], Enumerable.Range(0, 5 * 3 * 9 * 6).Select(i => (float)(i / (3 * 9 * 6))).ToArray(), [0, 1, 2, 3, 4], 5);
        var shares = new List<float>();
        using var training = new Mixed.Training(5, 2, optimizer: new Sgd(0.001f));
        var trainer = new Trainer(training)
        {
            Shuffle = false,
            Mixup = 0.4,
            OnStep = _ =>
            {
                var share = 1 - (training.Inputs[0].Sample(0)[0] / 4);
                Assert.InRange(share, 0, 1);
                shares.Add(share);
                for (var i = 0; i < 5; i++)
                {
                    var (a, b) = (i, 4 - i);
                    var expected = i == 2 ? 2 : (share * a) + ((1 - share) * b);
                    Assert.All(training.Inputs[0].Sample(i).ToArray(), value => Assert.Equal(expected, value, 1e-5f));
                    var label = training.Targets[0].Sample(i).ToArray();
                    for (var c = 0; c < 5; c++)
                    {
                        Assert.Equal((c == a ? i == 2 ? 1 : share : 0) + (c == b && i != 2 ? 1 - share : 0), label[c], 1e-5f);
                    }
                }
            },
        };
        trainer.Fit(data, 50);
        Assert.Equal(50, shares.Distinct().Count());

        // Beta(0.4, 0.4) keeps to the ends: half of its draws lie below 0.13 or above 0.87.
        Assert.InRange(shares.Count(share => share is < 0.13f or > 0.87f), 12, 38);
    }

    [Fact]
    public void WithoutItLabelsAreOneAndZero()
    {
        using var training = new Mixed.Training(4, 1);
        new Trainer(training) { Shuffle = false }.Fit(Data.Images(4, 1), 1);
        for (var i = 0; i < 4; i++)
        {
            var label = training.Targets[0].Sample(i).ToArray();
            Assert.Equal(1, label[Data.Images(4, 1).Labels(i)[0]]);
            Assert.Equal(1, label.Sum());
        }
    }

    [Fact]
    public void ATargetOfClassesIsRefused()
    {
        using var training = new Kept.Training(4, 1);
        var message = Assert.Throws<DatasetException>(() => new Trainer(training) { Mixup = 0.2 }.Fit(Data.Images(8, 1), 1)).Message;
        Assert.Contains("declare probabilities, 'target label: 5'", message);
        using var mixed = new Mixed.Training(4, 1);
        Assert.Contains("takes probabilities of shape 5, the dataset holds scalar of 4",
            Assert.Throws<DatasetException>(() => new Trainer(mixed).Fit(Data.Images(8, 1, classes: 4), 1)).Message);
    }
}
