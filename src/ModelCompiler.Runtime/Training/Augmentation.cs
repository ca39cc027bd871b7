// Changes to training images that do not change what they show; a network that has seen them overfits less.
namespace ModelCompiler.Runtime;

/// <summary>A random change of an image in place. Images are channels x height x width, normalised.</summary>
public abstract class Augmentation
{
    /// <summary>Mirrors left and right.</summary>
    public static Augmentation Flip(double probability = 0.5) => new FlipAugmentation(probability);

    /// <summary>Moves the image by up to <paramref name="padding"/> pixels along both axes, as padding by that much and cropping at
    /// random does; <paramref name="fill"/> enters at the border (0 is the mean of normalised images).</summary>
    public static Augmentation Crop(int padding, float fill = 0) => new CropAugmentation(padding, fill);

    /// <summary>Sets a square of <paramref name="size"/> pixels, centred anywhere, to <paramref name="fill"/> (DeVries and Taylor 2017).</summary>
    public static Augmentation Cutout(int size, float fill = 0) => new CutoutAugmentation(size, fill);

    /// <summary>Shifts all values by up to ±<paramref name="brightness"/>, stretches them about the image's mean by a factor in
    /// 1 ± <paramref name="contrast"/>, and blends with the mean of the channels by a factor in 1 ± <paramref name="saturation"/>.</summary>
    public static Augmentation ColorJitter(float brightness = 0, float contrast = 0, float saturation = 0) =>
        new ColorJitterAugmentation(brightness, contrast, saturation);

    /// <summary>One after the other.</summary>
    public static Augmentation Of(params Augmentation[] steps) => new SequenceAugmentation(steps);

    /// <param name="image">The elements of one sample.</param>
    /// <param name="random">Seeded for this sample and epoch.</param>
    public abstract void Apply(Span<float> image, IReadOnlyList<int> shape, RandomGenerator random);

    /// <exception cref="DatasetException">Samples are no images.</exception>
    internal void Check(IReadOnlyList<int> shape)
    {
        if (shape.Count != 3)
        {
            throw new DatasetException($"augmentation works on channels x height x width, not on {Shapes.Text(shape)}.");
        }
    }

    private sealed class FlipAugmentation(double probability) : Augmentation
    {
        public override void Apply(Span<float> image, IReadOnlyList<int> shape, RandomGenerator random)
        {
            if (random.NextDouble() < probability)
            {
                var width = shape[2];
                for (var row = 0; row < image.Length; row += width)
                {
                    image.Slice(row, width).Reverse();
                }
            }
        }
    }

    private sealed class CropAugmentation(int padding, float fill) : Augmentation
    {
        public override void Apply(Span<float> image, IReadOnlyList<int> shape, RandomGenerator random)
        {
            var down = random.Next((2 * padding) + 1) - padding;
            var right = random.Next((2 * padding) + 1) - padding;
            var plane = shape[1] * shape[2];
            for (var start = 0; start < image.Length; start += plane)
            {
                Move(image.Slice(start, plane), shape[1], shape[2], down, right);
            }
        }

        private void Move(Span<float> plane, int height, int width, int down, int right)
        {
            var kept = Math.Max(width - Math.Abs(right), 0);
            for (var i = 0; i < height; i++)
            {
                // Rows are overwritten only after they were read.
                var y = down > 0 ? height - 1 - i : i;
                var row = plane.Slice(y * width, width);
                var from = y - down;
                if (from < 0 || from >= height || kept == 0)
                {
                    row.Fill(fill);
                    continue;
                }

                plane.Slice((from * width) + Math.Max(-right, 0), kept).CopyTo(row[Math.Max(right, 0)..]);
                (right > 0 ? row[..(width - kept)] : row[kept..]).Fill(fill);
            }
        }
    }

    private sealed class CutoutAugmentation(int size, float fill) : Augmentation
    {
        public override void Apply(Span<float> image, IReadOnlyList<int> shape, RandomGenerator random)
        {
            var (height, width) = (shape[1], shape[2]);
            var top = random.Next(height) - (size / 2);
            var left = random.Next(width) - (size / 2);
            var (firstX, lastX) = (Math.Max(left, 0), Math.Min(left + size, width));
            for (var start = 0; start < image.Length; start += height * width)
            {
                for (var y = Math.Max(top, 0); y < Math.Min(top + size, height); y++)
                {
                    image[(start + (y * width) + firstX)..(start + (y * width) + lastX)].Fill(fill);
                }
            }
        }
    }

    private sealed class ColorJitterAugmentation(float brightness, float contrast, float saturation) : Augmentation
    {
        public override void Apply(Span<float> image, IReadOnlyList<int> shape, RandomGenerator random)
        {
            var shift = random.NextFloat(-brightness, brightness);
            var stretch = random.NextFloat(1 - contrast, 1 + contrast);
            var colour = random.NextFloat(1 - saturation, 1 + saturation);
            var sum = 0.0;
            foreach (var value in image)
            {
                sum += value;
            }

            var mean = (float)(sum / image.Length);
            foreach (ref var value in image)
            {
                value = ((value - mean) * stretch) + mean + shift;
            }

            var (channels, plane) = (shape[0], shape[1] * shape[2]);
            for (var pixel = 0; pixel < plane && channels > 1; pixel++)
            {
                var grey = 0f;
                for (var c = 0; c < channels; c++)
                {
                    grey += image[(c * plane) + pixel];
                }

                grey /= channels;
                for (var c = 0; c < channels; c++)
                {
                    ref var value = ref image[(c * plane) + pixel];
                    value = ((value - grey) * colour) + grey;
                }
            }
        }
    }

    private sealed class SequenceAugmentation(Augmentation[] steps) : Augmentation
    {
        public override void Apply(Span<float> image, IReadOnlyList<int> shape, RandomGenerator random)
        {
            foreach (var step in steps)
            {
                step.Apply(image, shape, random);
            }
        }
    }
}
