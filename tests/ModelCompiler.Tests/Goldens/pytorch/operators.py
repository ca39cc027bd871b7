"""Small cases for every operator: inputs, parameters, result and all gradients of mse(result, wanted). Where PyTorch has no such layer
its formula is written here in PyTorch's functions.

operators.txt lists the cases: name | shape of the input x, and of further inputs | the operator as the language writes it | shape of the
result. A name's part before the first '/' is the operator's."""
import torch
from torch import nn
from torch.nn import functional as F

import golden
import layers
import safetensors

BATCH = 2


layer, function, convolution = layers.layer, layers.function, layers.convolution

torch.manual_seed(3)
CASES = [
    ("conv", "3x6x5", "conv(4, 3x3, stride: 2, pad: 1)", convolution(nn.Conv2d, 3, 4, 3, 2, 1)),
    ("conv_dilated_groups", "4x7x7", "conv(6, 3x2, pad: [2, 0], dilation: [2, 1], groups: 2, bias: false)",
     convolution(nn.Conv2d, 4, 6, (3, 2), 1, (2, 0), (2, 1), 2, False)),
    ("conv_same", "2x5x6", "conv(3, 4x3, pad: same)", convolution(nn.Conv2d, 2, 3, (4, 3), padding="same")),
    ("conv_reflect", "2x5x6", "conv(3, 3x3, pad: 2, pad_mode: reflect)", convolution(nn.Conv2d, 2, 3, 3, padding=2, padding_mode="reflect")),
    ("conv_replicate", "2x5x6", "conv(3, 3x3, pad: 2, pad_mode: replicate)", convolution(nn.Conv2d, 2, 3, 3, padding=2, padding_mode="replicate")),
    ("conv_circular", "2x5x6", "conv(3, 3x3, pad: 2, pad_mode: circular)", convolution(nn.Conv2d, 2, 3, 3, padding=2, padding_mode="circular")),
    ("conv_1d", "2x9", "conv(3, 3, stride: 2)", convolution(nn.Conv1d, 2, 3, 3, 2)),
    ("conv_3d", "2x3x4x4", "conv(3, 2x3x3, pad: [0, 1, 1])", convolution(nn.Conv3d, 2, 3, (2, 3, 3), 1, (0, 1, 1))),
    ("separable", "3x5x5", "separable(4, 3x3, pad: 1)", layer(layers.Separable(3, 4))),
    ("depthwise", "3x5x5", "depthwise(3x3, multiplier: 2)", convolution(nn.Conv2d, 3, 6, 3, groups=3)),
    ("upconv", "3x4x3", "upconv(2, 3x3, stride: 2, pad: 1, output_pad: 1)", convolution(nn.ConvTranspose2d, 3, 2, 3, 2, 1, 1)),
    ("upconv_groups", "4x3x3", "upconv(6, 2x3, dilation: 2, groups: 2, bias: false)",
     convolution(nn.ConvTranspose2d, 4, 6, (2, 3), groups=2, dilation=2, bias=False)),
    ("dense", "7", "dense(4)", layer(nn.Linear(7, 4))),
    ("dense_rows", "3x5", "dense(4, bias: false)", layer(nn.Linear(5, 4, bias=False))),
    ("maxpool", "2x7x6", "maxpool(3x3, stride: 2, pad: 1)", function(lambda x: F.max_pool2d(x, 3, 2, 1))),
    ("maxpool_ceil", "2x6x6", "maxpool(3x2, stride: 2, ceil: true)", function(lambda x: F.max_pool2d(x, (3, 2), 2, ceil_mode=True))),
    ("maxpool_dilated", "2x7x7", "maxpool(2x2, stride: 1, dilation: 3)", function(lambda x: F.max_pool2d(x, 2, 1, dilation=3))),
    ("avgpool", "2x7x6", "avgpool(3x3, stride: 2, pad: 1)", function(lambda x: F.avg_pool2d(x, 3, 2, 1))),
    ("avgpool_inside", "2x7x6", "avgpool(3x3, stride: 2, pad: 1, count_padding: false)",
     function(lambda x: F.avg_pool2d(x, 3, 2, 1, count_include_pad=False))),
    ("adaptive_avgpool", "2x7x5", "adaptive_avgpool(3x2)", function(lambda x: F.adaptive_avg_pool2d(x, (3, 2)))),
    ("adaptive_maxpool", "2x7x5", "adaptive_maxpool(3x2)", function(lambda x: F.adaptive_max_pool2d(x, (3, 2)))),
    ("adaptive_larger", "2x3x6", "adaptive_avgpool(5x3)", function(lambda x: F.adaptive_avg_pool2d(x, (5, 3)))),
    ("lppool", "2x6x6", "lppool(2x2)", function(lambda x: F.lp_pool2d(x, 2, 2))),
    ("global_maxpool", "3x4x5", "global_maxpool", function(lambda x: x.amax((2, 3), keepdim=True))),
    ("upsample", "2x3x4", "upsample(2)", function(lambda x: F.interpolate(x, scale_factor=2, mode="nearest"))),
    ("upsample_linear", "2x3x4", "upsample(2, mode: linear)", function(lambda x: F.interpolate(x, scale_factor=2, mode="bilinear"))),
    ("upsample_aligned", "2x3x4", "upsample(3, mode: linear, align_corners: true)",
     function(lambda x: F.interpolate(x, scale_factor=3, mode="bilinear", align_corners=True))),
    ("upsample_cubic", "2x3x4", "upsample(2, mode: cubic)", function(lambda x: F.interpolate(x, scale_factor=2, mode="bicubic"))),
    ("resize", "2x5x4", "resize(7x3)", function(lambda x: F.interpolate(x, (7, 3), mode="bilinear"))),
    ("resize_nearest", "2x5x4", "resize(7x3, mode: nearest)", function(lambda x: F.interpolate(x, (7, 3), mode="nearest"))),
    ("resize_cubic", "2x5x4", "resize(7x3, mode: cubic, align_corners: true)",
     function(lambda x: F.interpolate(x, (7, 3), mode="bicubic", align_corners=True))),
    ("resize_1d", "2x5", "resize(8)", function(lambda x: F.interpolate(x, 8, mode="linear"))),
    ("resize_3d", "2x2x3x2", "resize(3x4x3)", function(lambda x: F.interpolate(x, (3, 4, 3), mode="trilinear"))),
    ("batchnorm", "3x4x3", "batchnorm(eps: 0.001)", layer(nn.BatchNorm2d(3, eps=0.001))),
    ("batchnorm_plain", "3x4", "batchnorm(affine: false)", layer(nn.BatchNorm1d(3, affine=False))),
    ("layernorm", "4x6", "layernorm", layer(nn.LayerNorm(6))),
    ("layernorm_maps", "4x3x2", "layernorm(eps: 1e-6)", layer(layers.LayerNormOfMaps(4, eps=1e-6))),
    ("groupnorm", "6x3x3", "groupnorm(3)", layer(nn.GroupNorm(3, 6))),
    ("instancenorm", "3x4x4", "instancenorm(affine: true)", layer(nn.InstanceNorm2d(3, affine=True))),
    ("local_response_norm", "7x2x3", "local_response_norm(5, alpha: 0.5, beta: 0.75, k: 2)", function(lambda x: F.local_response_norm(x, 5, 0.5, 0.75, 2))),
    ("local_response_norm_even", "7x2x3", "local_response_norm(4, alpha: 0.5)", function(lambda x: F.local_response_norm(x, 4, 0.5))),
    ("prelu", "3x4x2", "prelu", layer(nn.PReLU(3))),
    ("prelu_shared", "3x4x2", "prelu(shared: true)", layer(nn.PReLU())),
    ("attention", "5x6", "attention(2)", layer(layers.Attention(6, 2, batch_first=True))),
    ("softmax", "4x3x2", "softmax", function(lambda x: x.softmax(1))),
    ("softmax_last", "4x6", "softmax(axis: -1, temperature: 2.5)", function(lambda x: (x / 2.5).softmax(2))),
    ("log_softmax", "5", "log_softmax", function(lambda x: x.log_softmax(1))),
    ("pixel_shuffle", "8x2x3", "pixel_shuffle(2)", function(lambda x: F.pixel_shuffle(x, 2))),
    ("channel_shuffle", "6x2x2", "channel_shuffle(3)", function(lambda x: x.view(-1, 3, 2, 2, 2).transpose(1, 2).reshape(-1, 6, 2, 2))),
    ("rows", "6x2x3", "rows(3)", function(lambda x: layers.rows(x, 3))),
    ("tokens", "3x2x4", "tokens", function(lambda x: x.flatten(2).transpose(1, 2))),
    ("reduce_max", "3x4x2", "reduce_max(axes: [1, 2], keep: false)", function(lambda x: x.amax((2, 3)))),
]
ACTIVATIONS = {
    "relu": F.relu, "relu6": F.relu6, "tanh": torch.tanh, "sigmoid": torch.sigmoid, "silu": F.silu, "mish": F.mish, "softplus": F.softplus,
    "softsign": F.softsign, "hardsigmoid": F.hardsigmoid, "hardswish": F.hardswish, "selu": F.selu, "elu": F.elu, "gelu": F.gelu,
    "leaky_relu": F.leaky_relu, "atan": torch.atan, "abs": torch.abs, "exp": torch.exp, "sin": torch.sin, "cos": torch.cos,
}
CASES += [(name, "33", name, function(f)) for name, f in ACTIVATIONS.items()]
CASES += [
    ("gelu_tanh", "33", "gelu(approximate: tanh)", function(lambda x: F.gelu(x, approximate="tanh"))),
    ("elu_alpha", "33", "elu(0.5)", function(lambda x: F.elu(x, 0.5))),
]
CASES += layers.CASES

tensors, lines = {}, []
for name, shape, text, (module, run) in CASES:
    golden.prepare(module)
    shape, *further = shape.split(", ")
    sizes = [int(size) for size in shape.split("x")]
    x = golden.exact(torch.randn(BATCH, *sizes) * 2)
    if len(sizes) == 1 and sizes[0] == 33:
        # Zero is where conventions differ; 0 and the far ends are among the inputs.
        x[0, :5] = torch.tensor([0.0, -30.0, 30.0, -0.0, 1e-4])
    if name.startswith("positive"):
        x = golden.exact(x.abs() + 0.5)
    inputs = {"x": x, **{extra.split(" ")[0]: layers.further(BATCH, *extra.split(" ")) for extra in further}}
    for tensor in inputs.values():
        tensor.requires_grad_()
    tensors.update({f"{name}/{path}": buffer.clone() for path, buffer in module.named_buffers() if buffer.is_floating_point()})
    y = run(module, *inputs.values())
    wanted = golden.exact(torch.randn_like(y))
    loss = F.mse_loss(y, wanted)
    if loss.requires_grad:
        loss.backward()
    tensors.update({f"{name}/y": y, f"{name}/wanted": wanted, **{f"{name}/{n}": t for n, t in inputs.items()}})
    tensors.update({f"{name}/gradient.input.{n}": t.grad for n, t in inputs.items() if t.grad is not None})
    for path, parameter in module.named_parameters():
        tensors.update({f"{name}/{path}": parameter, f"{name}/gradient.{path}": parameter.grad})
    lines.append(f"{name} | {', '.join([shape, *further])} | {text} | {'x'.join(map(str, y.shape[1:]))}")
safetensors.write("operators.safetensors", tensors)
with open("operators.txt", "w") as file:
    file.write("\n".join(lines) + "\n")
