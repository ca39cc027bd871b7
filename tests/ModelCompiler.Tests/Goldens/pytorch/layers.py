"""Layers of the language as PyTorch has them, or as its functions spell them, for operators.py; and a spread of cases of those with many
attributes, over one, two and three spatial axes."""
import math

import torch
import torchvision
from torch import nn
from torch.nn import functional as F

import golden


def layer(module):
    return module, lambda m, x: m(x)


def function(f):
    return nn.Identity(), lambda _, x: f(x)


class Separable(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.depthwise = nn.Conv2d(inputs, inputs, 3, padding=1, groups=inputs)
        self.pointwise = nn.Conv2d(inputs, outputs, 1)

    def forward(self, x):
        return self.pointwise(self.depthwise(x))


class Attention(nn.MultiheadAttention):
    def forward(self, x):
        return super().forward(x, x, x, need_weights=False)[0]


class LayerNormOfMaps(nn.LayerNorm):
    def forward(self, x):
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


def convolution(kind, *arguments, **options):
    return layer(kind(*arguments, **options))


def rows(x, features):
    n, c, h, w = x.shape
    return x.view(n, c // features, features, h, w).permute(0, 3, 4, 1, 2).reshape(n, -1, features)


def further(batch, name, shape):
    """A second input: boxes in a plane of 6 x 5 (coordinates that no rounding moves), places below 3, or numbers."""
    sizes = [int(size) for size in shape.split("x")]
    if name == "boxes":
        corner = torch.randint(0, 9, (batch, sizes[0], 2)) / 4
        return torch.cat([corner, corner + torch.randint(1, 11, (batch, sizes[0], 2)) / 4], 2).double()
    return torch.randint(0, 3, (batch, *sizes)).double() if name == "places" else golden.exact(torch.randn(batch, *sizes))


class Given(nn.Module):
    """Parameters by name, and a function of them."""

    def __init__(self, run, **parameters):
        super().__init__()
        self.run = run
        for name, shape in parameters.items():
            self.register_parameter(name, nn.Parameter(torch.randn(shape) / 2))

    def forward(self, *inputs):
        return self.run(*inputs, **dict(self.named_parameters()))


def given(run, **parameters):
    return Given(run, **parameters), lambda m, *x: m(*x)


def several(f):
    return nn.Identity(), lambda _, *x: f(*x)


def sequence(module):
    return module, lambda m, x: m(x)[0]


def locally_connected(x, weight, bias):
    columns = F.unfold(x, (3, 2), padding=(1, 0), stride=(2, 1))
    return (weight.unsqueeze(0) * columns.unsqueeze(1)).sum(2).view(x.shape[0], *bias.shape) + bias


def connected(x, weight, bias):
    table = [[0, 2], [1], [0, 1, 2]]
    full = torch.zeros(3, 3, 3, 3, dtype=x.dtype)
    full = full.index_put((torch.tensor([o for o, row in enumerate(table) for _ in row]), torch.tensor(sum(table, []))), weight)
    return F.conv2d(x, full, bias)


def partial(x, weight, bias):
    """Liu et al., 2018: what the padding lacks is made up for."""
    inside = F.conv2d(torch.ones_like(x[:, :1]), torch.ones(1, 1, 3, 3, dtype=x.dtype), padding=2, stride=2)
    return F.conv2d(x, weight, padding=2, stride=2) * (9 / inside) + bias.view(1, -1, 1, 1)


def local_contrast(x, size, across):
    """Jarrett et al., 2009."""
    deviation = size / 4
    line = torch.tensor([math.exp(-(i - size // 2) ** 2 / (2 * deviation ** 2)) for i in range(size)], dtype=x.dtype)
    window = torch.outer(line, line) / line.sum() ** 2

    def around(v):
        v = v.mean(1, keepdim=True) if across else v
        return F.conv2d(v, window.expand(v.shape[1], 1, size, size), padding=size // 2, groups=v.shape[1])

    centred = x - around(x)
    deviations = (around(centred ** 2) + 1e-5).sqrt()
    return centred / torch.maximum(deviations, deviations.mean((2, 3), keepdim=True))


def positions(x, base):
    rows, features = x.shape[1:]
    angle = torch.arange(rows).view(-1, 1) / base ** (torch.arange(0, features, 2, dtype=x.dtype) / features)
    table = torch.stack([angle.sin(), angle.cos()], 2).flatten(1)[:, :features]
    return x + table


def unpool(x):
    values, places = F.max_pool2d(x, 2, return_indices=True)
    return F.max_unpool2d(values, places, 2, output_size=x.shape[2:])


def regions(f, **options):
    def run(x, boxes):
        pooled = f(x, [b.detach() for b in boxes], **options)
        return pooled.view(x.shape[0], -1, *pooled.shape[1:])
    return several(run)


def dims(values):
    return str(values[0]) if len(set(values)) == 1 else "[" + ", ".join(map(str, values)) + "]"


def spread():
    """Convolutions, poolings and resampling over one to three axes."""
    functions = [
        (F.conv1d, nn.Conv1d, nn.ConvTranspose1d, F.max_pool1d, F.avg_pool1d, F.adaptive_avg_pool1d, F.adaptive_max_pool1d),
        (F.conv2d, nn.Conv2d, nn.ConvTranspose2d, F.max_pool2d, F.avg_pool2d, F.adaptive_avg_pool2d, F.adaptive_max_pool2d),
        (F.conv3d, nn.Conv3d, nn.ConvTranspose3d, F.max_pool3d, F.avg_pool3d, F.adaptive_avg_pool3d, F.adaptive_max_pool3d),
    ]
    sizes = [(9,), (7, 6), (4, 5, 3)]
    for n, (size, (_, conv, upconv, maxpool, avgpool, adaptive_avg, adaptive_max)) in enumerate(zip(sizes, functions), 1):
        shape = "x".join(map(str, size))
        kernel, stride, pad, dilation = (3, 2, 2)[:n], (2, 1, 1)[:n], (1, 1, 0)[:n], (1, 2, 1)[:n]
        for mode in ["zeros", "reflect", "replicate", "circular"]:
            if (mode, n) != ("reflect", 3):
                yield (f"conv/{n}d_{mode}", f"4x{shape}",
                       f"conv(6, {dims(kernel)}, stride: {dims(stride)}, pad: {dims(pad)}, dilation: {dims(dilation)}, groups: 2, pad_mode: {mode})",
                       convolution(conv, 4, 6, kernel, stride, pad, dilation, 2, padding_mode=mode))
        extra = (1, 0, 0)[:n]
        yield (f"upconv/{n}d", f"4x{shape}",
               f"upconv(6, {dims(kernel)}, stride: {dims(stride)}, pad: {dims(pad)}, output_pad: {dims(extra)}, dilation: {dims(dilation)}, groups: 2)",
               convolution(upconv, 4, 6, kernel, stride, pad, extra, 2, dilation=dilation))
        yield f"maxpool/{n}d", f"3x{shape}", "maxpool(3, stride: 2, pad: 1)", function(lambda x, f=maxpool: f(x, 3, 2, 1))
        yield f"maxpool/{n}d_ceil", f"3x{shape}", "maxpool(2, stride: 3, ceil: true)", function(lambda x, f=maxpool: f(x, 2, 3, ceil_mode=True))
        yield f"avgpool/{n}d", f"3x{shape}", "avgpool(3, stride: 2, pad: 1)", function(lambda x, f=avgpool: f(x, 3, 2, 1))
        yield (f"avgpool/{n}d_inside", f"3x{shape}", "avgpool(2, stride: 1, pad: 1, count_padding: false)",
               function(lambda x, f=avgpool: f(x, 2, 1, 1, count_include_pad=False)))
        yield f"adaptive_avgpool/{n}d", f"3x{shape}", "adaptive_avgpool(2)", function(lambda x, f=adaptive_avg: f(x, 2))
        yield f"adaptive_maxpool/{n}d", f"3x{shape}", "adaptive_maxpool(2)", function(lambda x, f=adaptive_max: f(x, 2))
        linear = ["linear", "bilinear", "trilinear"][n - 1]
        for aligned in [False, True]:
            target = (5, 8, 4)[:n]
            text = f"resize({dims(target)}, align_corners: {str(aligned).lower()}"
            yield (f"resize/{n}d_{aligned}", f"2x{shape}", text + ")",
                   function(lambda x, t=target, m=linear, a=aligned: F.interpolate(x, t, mode=m, align_corners=a)))
            yield (f"upsample/{n}d_{aligned}", f"2x{shape}", f"upsample(2, mode: linear, align_corners: {str(aligned).lower()})",
                   function(lambda x, m=linear, a=aligned: F.interpolate(x, scale_factor=2, mode=m, align_corners=a)))
            if n == 2:
                yield (f"resize/cubic_{aligned}", f"2x{shape}", text + ", mode: cubic)",
                       function(lambda x, t=target, a=aligned: F.interpolate(x, t, mode="bicubic", align_corners=a)))
        yield f"upsample/{n}d_nearest", f"2x{shape}", "upsample(3)", function(lambda x: F.interpolate(x, scale_factor=3, mode="nearest"))
        yield f"instancenorm/{n}d", f"3x{shape}", "instancenorm(eps: 0.01)", function(lambda x: F.instance_norm(x, eps=0.01))
        yield f"groupnorm/{n}d", f"6x{shape}", "groupnorm(2)", layer(nn.GroupNorm(2, 6))


torch.manual_seed(5)
CASES = list(spread()) + [
    ("conv/flip", "2x5x6", "conv(3, 3x2, flip: true)", given(lambda x, weight, bias: F.conv2d(x, weight.flip(2, 3), bias), weight=(3, 2, 3, 2), bias=(3,))),
    ("conv/causal", "3x8", "conv(4, 3, dilation: 2, causal: true)",
     given(lambda x, weight, bias: F.conv1d(F.pad(x, (4, 0)), weight, bias, dilation=2), weight=(4, 3, 3), bias=(4,))),
    ("conv/connections", "3x5x4", "conv(3, 3x3, connections: [[0, 2], [1], [0, 1, 2]])", given(connected, weight=(6, 3, 3), bias=(3,))),
    ("conv/partial", "2x6x5", "conv(3, 3x3, pad: 2, stride: 2, pad_mode: partial)", given(partial, weight=(3, 2, 3, 3), bias=(3,))),
    ("conv/full", "2x3x4", "conv(3, 3x2, pad: full)", convolution(nn.Conv2d, 2, 3, (3, 2), 1, (2, 1))),
    ("conv/large_kernel", "2x9x9", "conv(2, 9x9, pad: same, groups: 2)", convolution(nn.Conv2d, 2, 2, 9, 1, 4, groups=2)),
    ("conv/weight_norm", "3x5x4", "conv(4, 3x3, pad: 1, parametrize: weight_norm)", layer(nn.utils.weight_norm(nn.Conv2d(3, 4, 3, padding=1)))),
    ("conv/spectral_norm", "3x5x4", "conv(4, 3x3, parametrize: spectral_norm)", layer(nn.utils.spectral_norm(nn.Conv2d(3, 4, 3)))),
    ("dense/weight_norm", "7", "dense(4, parametrize: weight_norm)", layer(nn.utils.weight_norm(nn.Linear(7, 4)))),
    ("dense/spectral_norm", "7", "dense(4, parametrize: spectral_norm)", layer(nn.utils.spectral_norm(nn.Linear(7, 4)))),
    ("locally_connected", "2x5x4", "locally_connected(3, 3x2, stride: 2x1, pad: [1, 0])",
     given(locally_connected, weight=(3, 12, 9), bias=(3, 3, 3))),
    ("unfold", "2x5x4", "unfold(3x2, stride: 2x1, pad: [1, 0])", function(lambda x: F.unfold(x, (3, 2), padding=(1, 0), stride=(2, 1)).view(-1, 12, 3, 3))),
    ("filter", "3x6x5", "filter(3x3, [[1, 0, -1, 2, 0, -2, 1, 0, -1], [1, 2, 1, 0, 0, 0, -1, -2, -1]], pad: 1)", function(lambda x: F.conv2d(
        x, torch.tensor([[[[1., 0, -1], [2, 0, -2], [1, 0, -1]]], [[[1, 2, 1], [0, 0, 0], [-1, -2, -1]]]]).double().repeat(3, 1, 1, 1), padding=1, groups=3))),
    ("max_unpool", "3x7x6", "(maxpool(2x2, places: true) -> max_unpool(7x6))", function(unpool)),
    ("topk", "4x7", "topk(3, axis: 1) -> TakeFirst", function(lambda x: x.topk(3, 2)[0])),
    ("argmax", "4x3x2", "argmax", function(lambda x: x.argmax(1, keepdim=True).double())),
    ("gather", "4x3x2, places 2x3x2", "gather(places)", several(lambda x, p: x.gather(1, p.detach().long()))),
    ("index_select", "5x4", "index_select([3, 0, 1, 1])", function(lambda x: x[:, [3, 0, 1, 1]])),
    ("roi_pool", "3x6x5, boxes 4x4", "roi_pool(boxes, 2x4)", regions(torchvision.ops.roi_pool, output_size=(2, 4))),
    ("roi_pool/scale", "2x3x3, boxes 3x4", "roi_pool(boxes, 2, scale: 0.5)", regions(torchvision.ops.roi_pool, output_size=2, spatial_scale=0.5)),
    ("roi_align", "3x6x5, boxes 4x4", "roi_align(boxes, 2x3)", regions(torchvision.ops.roi_align, output_size=(2, 3), sampling_ratio=2)),
    ("roi_align/aligned", "2x6x5, boxes 3x4", "roi_align(boxes, 3, samples: 3, aligned: true)",
     regions(torchvision.ops.roi_align, output_size=3, sampling_ratio=3, aligned=True)),
    ("roi_align/scale", "2x3x3, boxes 3x4", "roi_align(boxes, 2, scale: 0.5, samples: 1)",
     regions(torchvision.ops.roi_align, output_size=2, spatial_scale=0.5, sampling_ratio=1)),
    ("spatial_pyramid", "3x7x5", "spatial_pyramid([3, 2, 1])",
     function(lambda x: torch.cat([F.adaptive_max_pool2d(x, n).flatten(1) for n in (3, 2, 1)], 1))),
    ("spatial_pyramid/mean", "2x9", "spatial_pyramid([4, 1], mode: mean)", function(lambda x: torch.cat([F.adaptive_avg_pool1d(x, n).flatten(1) for n in (4, 1)], 1))),
    ("maxout", "6x3x2", "maxout(3)", function(lambda x: x.view(-1, 2, 3, 3, 2).amax(2))),
    ("max", "6x3, z 6x3", "max(z)", several(torch.maximum)),
    ("min", "6x3, z 6x1", "min(z)", several(torch.minimum)),
    ("add", "6x3x2, z 6x1x1", "add(z)", several(torch.add)),
    ("mul", "6x3x2, z 1x3x2", "mul(z)", several(torch.mul)),
    ("sub", "6x3, z 6x3", "sub(z)", several(torch.sub)),
    ("div", "6x3, z 6x3", "div(z)", several(torch.div)),
    ("matmul", "2x3x4, z 2x4x5", "matmul(z)", several(torch.matmul)),
    ("concat", "3x4x2, z 2x4x2", "concat(z)", several(lambda x, z: torch.cat([x, z], 1))),
    ("stack", "3x4, z 3x4", "stack(z, axis: 1)", several(lambda x, z: torch.stack([x, z], 2))),
    ("subsample", "3x6x4", "subsample(2x2)",
     given(lambda x, weight, bias: F.avg_pool2d(x, 2) * 4 * weight.view(-1, 1, 1) + bias.view(-1, 1, 1), weight=(3,), bias=(3,))),
    ("sumpool", "3x7x5", "sumpool(3x2, stride: 2, pad: 1)", function(lambda x: F.avg_pool2d(x, (3, 2), 2, 1, divisor_override=1))),
    ("lppool/4", "2x7x6", "lppool(3x2, p: 4)", function(lambda x: (F.avg_pool2d(x ** 4, (3, 2)) * 6) ** 0.25)),
    ("lppool/1d", "2x9", "lppool(3, stride: 2)", function(lambda x: F.lp_pool1d(x, 2, 3, 2))),
    ("global_avgpool", "3x4x5", "global_avgpool", function(lambda x: F.adaptive_avg_pool2d(x, 1))),
    ("local_contrast_norm", "3x7x6", "local_contrast_norm(5)", function(lambda x: local_contrast(x, 5, True))),
    ("local_contrast_norm/each", "2x5x6", "local_contrast_norm(3, across: false)", function(lambda x: local_contrast(x, 3, False))),
    ("rmsnorm", "4x6", "rmsnorm(eps: 0.01)", given(lambda x, weight: x / (x.square().mean(2, keepdim=True) + 0.01).sqrt() * weight, weight=(6,))),
    ("batchnorm/3d", "3x2x3x2", "batchnorm", layer(nn.BatchNorm3d(3))),
    ("batchnorm/vector", "5", "batchnorm", layer(nn.BatchNorm1d(5))),
    ("positional_encoding", "7x5", "positional_encoding", function(lambda x: positions(x, 10000))),
    ("positional_encoding/base", "4x6", "positional_encoding(base: 20)", function(lambda x: positions(x, 20))),
    ("rnn", "5x4", "rnn(3)", sequence(nn.RNN(4, 3, batch_first=True))),
    ("rnn/relu", "5x4", "rnn(3, layers: 2, bidirectional: true, activation: relu)",
     sequence(nn.RNN(4, 3, 2, nonlinearity="relu", bidirectional=True, batch_first=True))),
    ("lstm", "5x4", "lstm(3)", sequence(nn.LSTM(4, 3, batch_first=True))),
    ("lstm/deep", "3x4", "lstm(2, layers: 2, bidirectional: true)", sequence(nn.LSTM(4, 2, 2, bidirectional=True, batch_first=True))),
    ("lstm/no_bias", "1x4", "lstm(3, bias: false)", sequence(nn.LSTM(4, 3, bias=False, batch_first=True))),
    ("gru", "5x4", "gru(3)", sequence(nn.GRU(4, 3, batch_first=True))),
    ("gru/deep", "3x4", "gru(2, layers: 2, bidirectional: true)", sequence(nn.GRU(4, 2, 2, bidirectional=True, batch_first=True))),
    ("gru/no_bias", "4x3", "gru(3, bias: false)", sequence(nn.GRU(3, 3, bias=False, batch_first=True))),
    ("pixel_unshuffle", "2x4x6", "pixel_unshuffle(2)", function(lambda x: F.pixel_unshuffle(x, 2))),
    ("pad/value", "2x3x4", "pad(1x2, value: -1.5)", function(lambda x: F.pad(x, (2, 2, 1, 1), value=-1.5))),
    ("pad/reflect", "2x3x4", "pad(1x2, pad_mode: reflect)", function(lambda x: F.pad(x, (2, 2, 1, 1), mode="reflect"))),
    ("pad/symmetric", "2x3", "pad(3, pad_mode: symmetric)", function(lambda x: torch.cat([x.flip(2), x, x.flip(2)], 2))),
    ("slice", "5x4x3", "slice(1, 2, axis: -1)", function(lambda x: x[..., 1:3])),
    ("split", "6x4", "split(3) -> add", function(lambda x: x[:, :2] + x[:, 2:4] + x[:, 4:])),
    ("transpose", "2x3x4", "transpose", function(lambda x: x.transpose(2, 3))),
    ("permute", "2x3x4", "permute([2, 0, 1])", function(lambda x: x.permute(0, 3, 1, 2))),
    ("reshape", "4x6", "reshape(3x8)", function(lambda x: x.reshape(-1, 3, 8))),
    ("reduce_sum", "3x4x2", "reduce_sum([0, 2])", function(lambda x: x.sum((1, 3), keepdim=True))),
    ("reduce_mean", "3x4x2", "reduce_mean([1], keep: false)", function(lambda x: x.mean(2))),
    ("log_softmax/axis", "4x3x2", "log_softmax(axis: 2, temperature: 0.5)", function(lambda x: (x * 2).log_softmax(3))),
    ("detach", "4x3", "([square, detach] -> mul)", function(lambda x: x.square() * x.detach())),
    ("step", "33", "step", function(lambda x: (x >= 0).double())),
    ("clamp", "33", "clamp(-0.5, 0.75)", function(lambda x: x.clamp(-0.5, 0.75))),
    ("pow", "33", "pow(3)", function(lambda x: x ** 3)),
    ("square", "33", "square", function(torch.square)),
    ("neg", "33", "neg", function(torch.neg)),
    ("leaky_relu/slope", "33", "leaky_relu(0.1)", function(lambda x: F.leaky_relu(x, 0.1))),
    ("positive/log", "3x4", "log", function(torch.log)),
    ("positive/sqrt", "3x4", "sqrt", function(torch.sqrt)),
    ("positive/pow", "3x4", "pow(-1.5)", function(lambda x: x ** -1.5)),
    ("lppool/ceil", "2x7x6", "lppool(3x2, stride: 3, ceil: true)", function(lambda x: F.lp_pool2d(x, 2, (3, 2), 3, ceil_mode=True))),
    ("sumpool/ceil", "3x7x6", "sumpool(3x2, stride: 4, ceil: true)", function(lambda x: F.avg_pool2d(x, (3, 2), 4, ceil_mode=True, divisor_override=1))),
]
CASES += [
    (f"avgpool/{len(size)}d_ceil_{counted}", "x".join(map(str, (3, *size))), f"avgpool(3, stride: 2, pad: 1, count_padding: {str(counted).lower()}, ceil: true)",
     function(lambda x, f=pool, c=counted: f(x, 3, 2, 1, ceil_mode=True, count_include_pad=c)))
    for size, pool in [((8,), F.avg_pool1d), ((7, 6), F.avg_pool2d), ((4, 5, 6), F.avg_pool3d)] for counted in [False, True]
]
