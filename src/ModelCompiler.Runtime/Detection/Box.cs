// A rectangle on an image, and how much two of them share. Detectors, their losses' assignments and their metrics all
// rest on these few lines, so that they agree to the last bit.
using System.Globalization;
using System.Runtime.InteropServices;

namespace ModelCompiler.Runtime;

/// <summary>An axis-aligned rectangle by its corners in pixels: left, top, right, bottom, as torchvision keeps boxes.
/// Coordinates are continuous: a box from 0 to 10 is 10 wide. Four floats in a row, so that N x 4 numbers of a network are
/// N boxes (<see cref="Of(Span{float})"/>).</summary>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct Box(float X1, float Y1, float X2, float Y2)
{
    public float Width => X2 - X1;

    public float Height => Y2 - Y1;

    /// <summary>Width x height, square pixels.</summary>
    public float Area => (X2 - X1) * (Y2 - Y1);

    /// <summary>Whether all four numbers are finite and no side is negative; a side of 0 is allowed.</summary>
    public bool IsValid => float.IsFinite(X1) && float.IsFinite(Y1) && float.IsFinite(X2) && float.IsFinite(Y2) && X2 >= X1 && Y2 >= Y1;

    /// <summary>From the centre and the size, as YOLO and SSD write boxes.</summary>
    public static Box FromCenter(float x, float y, float width, float height) =>
        new(x - (0.5f * width), y - (0.5f * height), x + (0.5f * width), y + (0.5f * height));

    /// <summary>The same memory, seen as boxes.</summary>
    /// <exception cref="ArgumentException">The number of values is no multiple of 4.</exception>
    public static Span<Box> Of(Span<float> corners)
    {
        CheckFours(corners.Length);
        return MemoryMarshal.Cast<float, Box>(corners);
    }

    /// <inheritdoc cref="Of(Span{float})"/>
    public static ReadOnlySpan<Box> Of(ReadOnlySpan<float> corners)
    {
        CheckFours(corners.Length);
        return MemoryMarshal.Cast<float, Box>(corners);
    }

    /// <summary>Intersection over union (Jaccard's index), 0 to 1; 0 for two boxes without area.</summary>
    public static float IoU(Box a, Box b)
    {
        var intersection = Intersection(a, b);
        var union = a.Area + b.Area - intersection;
        return union > 0 ? intersection / union : 0;
    }

    /// <summary>Generalized intersection over union, -1 to 1: less than 0 the further two boxes are apart (Rezatofighi et al., 2019).
    /// 0 for two equal boxes without area.</summary>
    public static float GIoU(Box a, Box b)
    {
        var hull = (MathF.Max(a.X2, b.X2) - MathF.Min(a.X1, b.X1)) * (MathF.Max(a.Y2, b.Y2) - MathF.Min(a.Y1, b.Y1));
        var union = a.Area + b.Area - Intersection(a, b);
        return hull > 0 ? IoU(a, b) - ((hull - union) / hull) : 0;
    }

    /// <summary>Square pixels that both cover.</summary>
    public static float Intersection(Box a, Box b)
    {
        var width = MathF.Max(0, MathF.Min(a.X2, b.X2) - MathF.Max(a.X1, b.X1));
        var height = MathF.Max(0, MathF.Min(a.Y2, b.Y2) - MathF.Max(a.Y1, b.Y1));
        return width * height;
    }

    /// <summary>The part inside an image; nothing inside leaves a box without area on the edge.</summary>
    public Box Clip(float width, float height) =>
        new(Math.Clamp(X1, 0, width), Math.Clamp(Y1, 0, height), Math.Clamp(X2, 0, width), Math.Clamp(Y2, 0, height));

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"({X1}, {Y1}, {X2}, {Y2})");

    /// <exception cref="ArgumentException">A box has a number that is not finite, or ends before it begins; the message names the first.</exception>
    internal static void Check(ReadOnlySpan<Box> boxes, string parameter)
    {
        for (var i = 0; i < boxes.Length; i++)
        {
            if (!boxes[i].IsValid)
            {
                throw new ArgumentException(
                    $"box {i} is {boxes[i]}; left, top, right and bottom must be finite, with left <= right and top <= bottom.", parameter);
            }
        }
    }

    private static void CheckFours(int count)
    {
        if (count % 4 != 0)
        {
            throw new ArgumentException($"boxes take four numbers each; {count} is no multiple of 4.", nameof(count));
        }
    }
}
