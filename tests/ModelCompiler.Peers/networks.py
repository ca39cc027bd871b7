"""The peers' networks: the same architectures, weights and inputs that our classes get.

    python3 networks.py FOLDER [NAME ...]

writes FOLDER/NAME.safetensors (weights under our names), NAME.in.f32, NAME.out.f32 (PyTorch's answer), NAME.onnx and, for the
networks that are trained, NAME.batch.f32 and NAME.target.i32. Weights are random with fixed seeds; batch normalization gets
statistics of its own, so that outputs depend on every parameter.
"""
import json
import os
import struct
import sys
from functools import partial

import torch
import torchvision
from torch import nn

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "examples", "zoo", "pytorch"))
from weights import label, write as save

V = torchvision.models


class LeNet5(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 6, 5, padding=2), nn.Conv2d(6, 16, 5)
        self.dense1, self.dense2, self.dense3 = nn.Linear(400, 120), nn.Linear(120, 84), nn.Linear(84, 10)

    def forward(self, x):
        x = nn.functional.max_pool2d(torch.relu(self.conv1(x)), 2)
        x = nn.functional.max_pool2d(torch.relu(self.conv2(x)), 2)
        return self.dense3(torch.relu(self.dense2(torch.relu(self.dense1(x.flatten(1))))))


class CifarVGG(nn.Module):
    def __init__(self):
        super().__init__()
        channels = [3, 64, 64, 128, 128, 256, 256]
        for i, (a, b) in enumerate(zip(channels, channels[1:])):
            self.add_module(f"conv{i + 1}", nn.Conv2d(a, b, 3, padding=1))
        self.dense1, self.dense2 = nn.Linear(256 * 16, 256), nn.Linear(256, 10)

    def forward(self, x):
        for i in range(1, 7):
            x = torch.relu(getattr(self, f"conv{i}")(x))
            if i % 2 == 0:
                x = nn.functional.max_pool2d(x, 2)
        return self.dense2(torch.relu(self.dense1(x.flatten(1))))


class Double(nn.Module):
    def __init__(self, a, b):
        super().__init__()
        self.conv1, self.batchnorm1 = nn.Conv2d(a, b, 3, padding=1, bias=False), nn.BatchNorm2d(b)
        self.conv2, self.batchnorm2 = nn.Conv2d(b, b, 3, padding=1, bias=False), nn.BatchNorm2d(b)

    def forward(self, x):
        return torch.relu(self.batchnorm2(self.conv2(torch.relu(self.batchnorm1(self.conv1(x))))))


class Level(nn.Module):
    def __init__(self, a, b, depth):
        super().__init__()
        self.double1 = Double(a, b)
        if depth > 0:
            self.level1, self.upconv1, self.double2 = Level(b, 2 * b, depth - 1), nn.ConvTranspose2d(2 * b, b, 2, stride=2), Double(2 * b, b)
        self.depth = depth

    def forward(self, x):
        skip = self.double1(x)
        if self.depth == 0:
            return skip
        return self.double2(torch.cat([skip, self.upconv1(self.level1(nn.functional.max_pool2d(skip, 2)))], 1))


class UNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.level1, self.conv1 = Level(3, 32, 4), nn.Conv2d(32, 2, 1)

    def forward(self, x):
        return self.conv1(self.level1(x))


class Logits(nn.Module):
    """torchvision's segmentation networks answer with a dictionary."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, x):
        return self.network(x)["out"]


IMAGE = (3, 224, 224)

# Auxiliary heads are made, so that their weights are there to be loaded, and do not run.
NETWORKS = {
    "lenet5": (LeNet5, (1, 28, 28)),
    "cifar_vgg": (CifarVGG, (3, 32, 32)),
    "squeezenet1_1": (V.squeezenet1_1, IMAGE),
    "mobilenet_v2": (V.mobilenet_v2, IMAGE),
    "shufflenet_v2_x1_0": (V.shufflenet_v2_x1_0, IMAGE),
    "mobilenet_v3_large": (V.mobilenet_v3_large, IMAGE),
    "efficientnet_b0": (V.efficientnet_b0, IMAGE),
    "mnasnet1_0": (V.mnasnet1_0, IMAGE),
    "regnet_y_400mf": (V.regnet_y_400mf, IMAGE),
    "alexnet": (V.alexnet, IMAGE),
    "googlenet": (partial(V.googlenet, weights=None, aux_logits=True, init_weights=False), IMAGE),
    "resnet18": (V.resnet18, IMAGE),
    "unet": (UNet, (3, 128, 128)),
    "densenet121": (V.densenet121, IMAGE),
    "resnet50": (V.resnet50, IMAGE),
    "inception_v3": (partial(V.inception_v3, weights=None, aux_logits=True, init_weights=False), (3, 299, 299)),
    "convnext_tiny": (V.convnext_tiny, IMAGE),
    "vgg16": (V.vgg16, IMAGE),
    "vit_b_16": (V.vit_b_16, IMAGE),
    "fcn_resnet50_256": (lambda: Logits(V.segmentation.fcn_resnet50(weights=None, weights_backbone=None, aux_loss=True)), (3, 256, 256)),
    "r3d_18": (V.video.r3d_18, (3, 16, 112, 112)),
}

# Batch size and classes of what is trained.
TRAINED = {"lenet5": (64, 10), "cifar_vgg": (64, 10), "unet": (4, 2), "mobilenet_v2": (8, 1000), "resnet18": (8, 1000)}


def make(name, dropout=True):
    torch.manual_seed(0)
    build, shape = NETWORKS[name]
    network = build()
    chance = torch.Generator().manual_seed(2)
    norms = [m for m in network.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    with torch.no_grad():
        for norm in norms:
            norm.weight.uniform_(0.5, 1.5, generator=chance)
            norm.bias.normal_(0, 0.1, generator=chance)
        for module in network.modules():
            if hasattr(module, "layer_scale"):          # ConvNeXt begins with 1e-6: nothing would pass
                module.layer_scale.uniform_(0.05, 0.2, generator=chance)
        if name == "vit_b_16":                          # torchvision begins with zeros
            network.heads.head.weight.normal_(0, 0.02, generator=chance)
        if norms:
            momentum = [norm.momentum for norm in norms]
            for norm in norms:
                norm.momentum = 1.0
            network.train()(torch.randn((2,) + shape, generator=chance))
            for norm, value in zip(norms, momentum):
                norm.momentum = value
    if not dropout:
        for module in network.modules():
            if isinstance(module, nn.Dropout):
                module.p = 0.0
    return network.eval(), shape


def weights(network):
    """The state of a network under our names."""
    state = network.network.state_dict() if isinstance(network, Logits) else network.state_dict()
    return {label(k): v.float().contiguous() for k, v in state.items() if not k.endswith("num_batches_tracked")}


def load(path):
    with open(path, "rb") as file:
        data = file.read()
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + size])
    header.pop("__metadata__", None)
    return {name: torch.frombuffer(bytearray(data[8 + size + t["data_offsets"][0]:8 + size + t["data_offsets"][1]]), dtype=torch.float32)
            .reshape(t["shape"]) for name, t in header.items() if t["dtype"] == "F32"}


def targets(name, shape):
    batch, classes = TRAINED[name]
    size = (batch,) + shape[1:] if name == "unet" else (batch,)
    return torch.randint(0, classes, size, generator=torch.Generator().manual_seed(4))


def export(folder, name):
    network, shape = make(name)
    x = torch.randn((1,) + shape, generator=torch.Generator().manual_seed(1))
    path = os.path.join(folder, name)
    with torch.inference_mode():
        y = network(x)
    save(path + ".safetensors", weights(network))
    x.numpy().tofile(path + ".in.f32")
    y.numpy().tofile(path + ".out.f32")
    if name in TRAINED:
        torch.randn((TRAINED[name][0],) + shape, generator=torch.Generator().manual_seed(3)).numpy().tofile(path + ".batch.f32")
        targets(name, shape).int().numpy().tofile(path + ".target.i32")
    for opset in (13, 14, 16):
        try:
            torch.onnx.export(network, x, path + ".partial", opset_version=opset, input_names=["x"], output_names=["y"], do_constant_folding=True)
            os.replace(path + ".partial", path + ".onnx")
            return
        except Exception as error:      # an operator that this opset does not have: the next one may
            failure = error
    raise failure


if __name__ == "__main__":
    os.makedirs(sys.argv[1], exist_ok=True)
    for name in sys.argv[2:] or NETWORKS:
        export(sys.argv[1], name)
        print(name, flush=True)
