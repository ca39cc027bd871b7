"""A small residual network (He et al., 2015) with batch norm in training mode, and its running statistics after two batches."""
import torch
from torch import nn
from torch.nn import functional as F

import golden
import safetensors


class Basic(nn.Module):
    def __init__(self, inputs, channels, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, channels, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.downsample = nn.Identity()
        if stride != 1 or inputs != channels:
            self.downsample = nn.Sequential(nn.Conv2d(inputs, channels, 1, stride, bias=False), nn.BatchNorm2d(channels))

    def forward(self, x):
        y = torch.relu(self.bn1(self.conv1(x)))
        return torch.relu(self.bn2(self.conv2(y)) + self.downsample(x))


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 8, 3, 2, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(8)
        self.layer1 = Basic(8, 8)
        self.layer2 = Basic(8, 12, 2)
        self.fc = nn.Linear(12, 5)

    def forward(self, x):
        x = F.max_pool2d(torch.relu(self.bn1(self.conv1(x))), 3, 2, 1)
        return self.fc(self.layer2(self.layer1(x)).mean((2, 3)))


def run(module, inputs, targets):
    logits = module(inputs["image"])
    return {"logits": logits}, F.cross_entropy(logits, targets["label"])


torch.manual_seed(2)
module = Residual()
with torch.no_grad():
    for norm in [m for m in module.modules() if isinstance(m, nn.BatchNorm2d)]:
        norm.weight.uniform_(0.5, 1.5)
        norm.bias.normal_(0, 0.1)
        norm.running_mean.normal_(0, 0.1)
        norm.running_var.uniform_(0.5, 1.5)
golden.prepare(module)
golden.write_weights(module, "residual")
module.train()
for step in ["residual1", "residual2"]:
    golden.write(module, step, {"image": torch.randn(5, 3, 13, 11)}, {"label": torch.randint(5, (5,))}, run)
    safetensors.write(step + ".buffers.safetensors", golden.buffers(module))
    golden.prepare(module)
module.eval()
image = golden.exact(torch.randn(2, 3, 13, 11))
safetensors.write("residual_inference.input.safetensors", {"image": image})
safetensors.write("residual_inference.output.safetensors", {"logits": module(image)})
