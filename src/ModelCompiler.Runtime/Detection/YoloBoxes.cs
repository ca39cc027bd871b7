// What YOLO's numbers mean as boxes: each of its versions writes them down in its own way.
namespace ModelCompiler.Runtime;

/// <summary>Boxes of YOLO's answers, in pixels, with their places from left to right and top to bottom.</summary>
public static class YoloBoxes
{
    /// <summary>Five priors of the tiny network of version 2 for VOC, width and height in cells of 32 pixels
    /// (yolov2-tiny-voc.cfg of Redmon's Darknet).</summary>
    public static IReadOnlyList<(float Width, float Height)> TinyVoc { get; } =
        [(1.08f, 1.19f), (3.42f, 4.41f), (6.63f, 11.38f), (9.42f, 5.11f), (16.62f, 10.52f)];

    /// <summary>Nine priors of version 3 for COCO in pixels (Redmon and Farhadi, 2018, section 2.3), the smallest first: the last three
    /// belong to the coarsest map.</summary>
    public static IReadOnlyList<(float Width, float Height)> Coco { get; } =
        [(10, 13), (16, 30), (33, 23), (30, 61), (62, 45), (59, 119), (116, 90), (156, 198), (373, 326)];

    /// <summary>A box of versions 2 and 3: the centre inside its cell by a sigmoid, the prior's size by the exponential.</summary>
    /// <param name="answer">tx, ty, tw, th.</param>
    /// <param name="column">Of the cell, from 0.</param>
    /// <param name="stride">Pixels of a cell.</param>
    /// <param name="prior">Pixels; for version 2 the prior in cells times the stride.</param>
    /// <exception cref="ArgumentException">There are fewer than four numbers.</exception>
    public static Box Decode(ReadOnlySpan<float> answer, int column, int row, float stride, (float Width, float Height) prior)
    {
        CheckFour(answer);
        return Box.FromCenter(
            (Sigmoid(answer[0]) + column) * stride,
            (Sigmoid(answer[1]) + row) * stride,
            prior.Width * (float)Math.Exp(Math.Min(answer[2], BoxCoder.LargestGrowth)),
            prior.Height * (float)Math.Exp(Math.Min(answer[3], BoxCoder.LargestGrowth)));
    }

    /// <summary>A box of version 1: the centre as parts of its cell, width and height as square roots of parts of the image
    /// (Redmon et al., 2016).</summary>
    /// <param name="answer">x, y, √w, √h.</param>
    /// <param name="cells">In a row, and rows.</param>
    /// <exception cref="ArgumentException">There are fewer than four numbers.</exception>
    public static Box DecodeV1(ReadOnlySpan<float> answer, int column, int row, int cells, float imageWidth, float imageHeight)
    {
        CheckFour(answer);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(cells);
        return Box.FromCenter(
            (answer[0] + column) / cells * imageWidth,
            (answer[1] + row) / cells * imageHeight,
            answer[2] * answer[2] * imageWidth,
            answer[3] * answer[3] * imageHeight);
    }

    private static float Sigmoid(float x) => (float)(1 / (1 + Math.Exp(-x)));

    private static void CheckFour(ReadOnlySpan<float> answer)
    {
        if (answer.Length < 4)
        {
            throw new ArgumentException($"a box takes four numbers, not {answer.Length}.", nameof(answer));
        }
    }
}
