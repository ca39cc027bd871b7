// The list of every kind of node. A pass that wants a convolution asks for Primitives.Convolution; the planner
// tells kinds apart by comparing with these instances.
using ModelCompiler.Graph;

namespace ModelCompiler.Operators;

public static class Primitives
{
    /// <summary>An input or target; <see cref="InputAttributes"/>.</summary>
    public static readonly Primitive Input = new InputPrimitive();

    /// <summary>Trainable numbers or a buffer, the same for every sample; <see cref="ParameterAttributes"/>.</summary>
    public static readonly Primitive Parameter = new ParameterPrimitive();

    /// <summary>(x, w [, bias]): cross-correlation over 1 to 3 spatial axes; <see cref="ConvolutionAttributes"/>.</summary>
    public static readonly Primitive Convolution = new ConvolutionPrimitive();

    /// <summary>(dy, w): also the forward pass of a transposed convolution; <see cref="ConvolutionInputGradientAttributes"/>.</summary>
    public static readonly Primitive ConvolutionInputGradient = new ConvolutionInputGradientPrimitive();

    /// <summary>(x, dy), summed over the batch; <see cref="ConvolutionWeightGradientAttributes"/>.</summary>
    public static readonly Primitive ConvolutionWeightGradient = new ConvolutionWeightGradientPrimitive();

    /// <summary>(x, w [, bias]): y[…, o] = sum of x[…, i] · w[o, i] over i, + bias[o]. No attributes.</summary>
    public static readonly Primitive Dense = new DensePrimitive();

    /// <summary>(dy, w): dx[…, i] = sum of dy[…, o] · w[o, i]. No attributes.</summary>
    public static readonly Primitive DenseInputGradient = new DenseInputGradientPrimitive();

    /// <summary>(x, dy): dw[o, i], summed over rows and batch. No attributes.</summary>
    public static readonly Primitive DenseWeightGradient = new DenseWeightGradientPrimitive();

    /// <summary>(x [, winners, for the gradient]); padding counts as minus infinity; <see cref="MaxPoolAttributes"/>.</summary>
    public static readonly Primitive MaxPool = new MaxPoolPrimitive();

    /// <summary>(x): for each window, which of its elements in scan order is the first maximum, padding counted; <see cref="MaxPoolAttributes"/>.</summary>
    public static readonly Primitive MaxPoolWinners = new MaxPoolWinnersPrimitive();

    /// <summary>(winners, dy): dy goes to each window's winner; <see cref="MaxPoolGradientAttributes"/>.</summary>
    public static readonly Primitive MaxPoolGradient = new MaxPoolGradientPrimitive();

    /// <summary>(x): for each window of a max pooling, where in its plane the first maximum is; <see cref="MaxPoolAttributes"/>.</summary>
    public static readonly Primitive MaxPoolPlaces = new MaxPoolPlacesPrimitive();

    /// <summary>(x, boxes): maxima of bins of boxes; <see cref="RegionPoolAttributes"/>.</summary>
    public static readonly Primitive RegionPool = new RegionPoolPrimitive();

    /// <summary>(x, boxes, dy): dy goes to the first maximum of each bin in scan order; <see cref="RegionPoolAttributes"/>.</summary>
    public static readonly Primitive RegionPoolGradient = new RegionPoolGradientPrimitive();

    /// <summary>(x, boxes): means of samples between elements, over bins of boxes; <see cref="RegionAlignAttributes"/>.</summary>
    public static readonly Primitive RegionAlign = new RegionAlignPrimitive();

    /// <summary>(boxes, dy): dy spread over the elements around each sample; <see cref="RegionAlignAttributes"/>.</summary>
    public static readonly Primitive RegionAlignGradient = new RegionAlignGradientPrimitive();

    /// <summary>(x, places): the elements at the places along an axis, 0 where there is none; <see cref="GatherAttributes"/>.</summary>
    public static readonly Primitive Gather = new GatherPrimitive();

    /// <summary>(values, places): each value added to its place along an axis, 0 elsewhere; <see cref="ScatterAttributes"/>.</summary>
    public static readonly Primitive Scatter = new ScatterPrimitive();

    /// <summary>(x): places of the largest elements along an axis, the largest first, of equals the first first; <see cref="TopPlacesAttributes"/>.</summary>
    public static readonly Primitive TopPlaces = new TopPlacesPrimitive();

    /// <summary>(): numbers known to the compiler; <see cref="ConstantAttributes"/>.</summary>
    public static readonly Primitive Constant = new ConstantPrimitive();

    /// <summary>(x): a composite; x without a gradient; <see cref="DetachAttributes"/>.</summary>
    public static readonly Primitive Detach = new DetachPrimitive();

    /// <summary>(x); <see cref="AveragePoolAttributes"/>.</summary>
    public static readonly Primitive AveragePool = new AveragePoolPrimitive();

    /// <summary>(dy); <see cref="AveragePoolAttributes"/>.</summary>
    public static readonly Primitive AveragePoolGradient = new AveragePoolGradientPrimitive();

    /// <summary>(x); <see cref="ReduceAttributes"/>.</summary>
    public static readonly Primitive Reduce = new ReducePrimitive();

    /// <summary>A formula over any number of broadcast inputs, also none; <see cref="PointwiseAttributes"/>.</summary>
    public static readonly Primitive Pointwise = new PointwisePrimitive();

    /// <summary>(x); <see cref="ReshapeAttributes"/>.</summary>
    public static readonly Primitive Reshape = new ReshapePrimitive();

    /// <summary>(x, …), equal but for one axis; inputs without a batch repeat for every sample; <see cref="ConcatAttributes"/>.</summary>
    public static readonly Primitive Concat = new ConcatPrimitive();

    /// <summary>(x); <see cref="SliceAttributes"/>.</summary>
    public static readonly Primitive Slice = new SlicePrimitive();

    /// <summary>(x); <see cref="PadAttributes"/>.</summary>
    public static readonly Primitive Pad = new PadPrimitive();

    /// <summary>(x), along one axis; <see cref="ResampleAttributes"/>.</summary>
    public static readonly Primitive Resample = new ResamplePrimitive();

    /// <summary>(dy), along one axis; <see cref="ResampleAttributes"/>.</summary>
    public static readonly Primitive ResampleGradient = new ResampleGradientPrimitive();

    /// <summary>(x); <see cref="TransposeAttributes"/>.</summary>
    public static readonly Primitive Transpose = new TransposePrimitive();

    /// <summary>(a, b): c[…, m, n] = sum of a[…, m, k] · b[…, k, n] over k, with equal leading axes; <see cref="MatrixProductAttributes"/>.</summary>
    public static readonly Primitive MatrixProduct = new MatrixProductPrimitive();

    /// <summary>(x); <see cref="SoftmaxAttributes"/>.</summary>
    public static readonly Primitive Softmax = new SoftmaxPrimitive();

    /// <summary>(x); <see cref="SoftmaxAttributes"/>.</summary>
    public static readonly Primitive LogSoftmax = new LogSoftmaxPrimitive();

    /// <summary>(x, classes): x at the class along axis 0, that axis removed; <see cref="GatherClassAttributes"/>.</summary>
    public static readonly Primitive GatherClass = new GatherClassPrimitive();

    /// <summary>(dy, classes): dy at its class along a new axis 0, zeros elsewhere; <see cref="ScatterClassAttributes"/>.</summary>
    public static readonly Primitive ScatterClass = new ScatterClassPrimitive();

    /// <summary>(x [, gamma, beta], running_mean, running_var); a composite; <see cref="BatchNormAttributes"/>.</summary>
    public static readonly Primitive BatchNorm = new BatchNormPrimitive();

    /// <summary>(w, u, v); a composite; <see cref="SpectralNormAttributes"/>.</summary>
    public static readonly Primitive SpectralNorm = new SpectralNormPrimitive();

    /// <summary>(x); a composite; <see cref="DropoutAttributes"/>.</summary>
    public static readonly Primitive Dropout = new DropoutPrimitive();
}
