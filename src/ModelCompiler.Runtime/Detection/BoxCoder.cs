// Networks do not answer with boxes but with how far an anchor has to move and to grow; this is the arithmetic between.
namespace ModelCompiler.Runtime;

/// <summary>Offsets of boxes from anchors (dx, dy, dw, dh): the centre moves by parts of the anchor's size, width and height grow by
/// the exponential; each is multiplied by a weight (Girshick et al., 2014; weights as in torchvision's <c>BoxCoder</c>).</summary>
public sealed class BoxCoder
{
    /// <summary>dw and dh above this are cut, so that an untrained network cannot answer with infinite boxes: ln(1000 / 16).</summary>
    public const double LargestGrowth = 4.135166556742356;

    private readonly float[] weights;

    /// <param name="x">Weights of dx, dy, dw and dh, positive.</param>
    public BoxCoder(float x = 1, float y = 1, float width = 1, float height = 1)
    {
        weights = [x, y, width, height];
        if (weights.Any(weight => !(weight > 0 && float.IsFinite(weight))))
        {
            throw new ArgumentException("the weights of a box coder must be positive and finite.");
        }
    }

    /// <summary>Of region proposals and RetinaNet: all weights 1.</summary>
    public static BoxCoder Proposals { get; } = new();

    /// <summary>Of the heads of Fast, Faster and Mask R-CNN, and of SSD: 10, 10, 5, 5.</summary>
    public static BoxCoder Regions { get; } = new(10, 10, 5, 5);

    /// <summary>What a network should answer at <paramref name="anchors"/> to mean <paramref name="boxes"/>.</summary>
    /// <param name="boxes">N boxes with area.</param>
    /// <param name="anchors">N anchors with area.</param>
    /// <param name="offsets">Receives N x 4 numbers.</param>
    /// <exception cref="ArgumentException">Lengths differ, or a box or anchor is not finite or has no area.</exception>
    public void Encode(ReadOnlySpan<Box> boxes, ReadOnlySpan<Box> anchors, Span<float> offsets)
    {
        CheckLengths(boxes.Length, anchors.Length, offsets.Length);
        CheckAreas(boxes, nameof(boxes));
        CheckAreas(anchors, nameof(anchors));
        for (var i = 0; i < boxes.Length; i++)
        {
            var (box, anchor) = (boxes[i], anchors[i]);
            var offset = offsets.Slice(4 * i, 4);
            offset[0] = weights[0] * (box.X1 + (0.5f * box.Width) - (anchor.X1 + (0.5f * anchor.Width))) / anchor.Width;
            offset[1] = weights[1] * (box.Y1 + (0.5f * box.Height) - (anchor.Y1 + (0.5f * anchor.Height))) / anchor.Height;
            offset[2] = weights[2] * (float)PortableMath.Log(box.Width / anchor.Width);
            offset[3] = weights[3] * (float)PortableMath.Log(box.Height / anchor.Height);
        }
    }

    /// <summary>The boxes that a network means.</summary>
    /// <param name="offsets">N x 4 numbers.</param>
    /// <param name="anchors">N anchors.</param>
    /// <param name="boxes">Receives N boxes; offsets that are no numbers give boxes that are none.</param>
    /// <exception cref="ArgumentException">Lengths differ, or an anchor is not finite.</exception>
    public void Decode(ReadOnlySpan<float> offsets, ReadOnlySpan<Box> anchors, Span<Box> boxes)
    {
        CheckLengths(boxes.Length, anchors.Length, offsets.Length);
        Box.Check(anchors, nameof(anchors));
        for (var i = 0; i < anchors.Length; i++)
        {
            var anchor = anchors[i];
            var offset = offsets.Slice(4 * i, 4);
            boxes[i] = Box.FromCenter(
                (offset[0] / weights[0] * anchor.Width) + anchor.X1 + (0.5f * anchor.Width),
                (offset[1] / weights[1] * anchor.Height) + anchor.Y1 + (0.5f * anchor.Height),
                Growth(offset[2] / weights[2]) * anchor.Width,
                Growth(offset[3] / weights[3]) * anchor.Height);
        }
    }

    private static float Growth(float logarithm) => (float)Math.Exp(Math.Min(logarithm, LargestGrowth));

    private static void CheckLengths(int boxes, int anchors, int offsets)
    {
        if (boxes != anchors || offsets != 4 * anchors)
        {
            throw new ArgumentException($"{anchors} anchors go with as many boxes and {4 * anchors} offsets, not {boxes} boxes and {offsets} offsets.");
        }
    }

    private static void CheckAreas(ReadOnlySpan<Box> boxes, string parameter)
    {
        Box.Check(boxes, parameter);
        for (var i = 0; i < boxes.Length; i++)
        {
            if (boxes[i].Width == 0 || boxes[i].Height == 0)
            {
                throw new ArgumentException($"box {i} is {boxes[i]}; a box without area has no offsets.", parameter);
            }
        }
    }
}
