"""Writes sizes.txt: for every network that torchvision (0.14) has too, its parameters, its multiply-adds at the zoo's size of the input,
and a digest of the names and shapes of its weights (SHA-256 of the sorted lines that names.py writes).

Multiply-adds are those of convolutions, dense layers and products of attention, auxiliary heads included; nothing is computed, since
tensors on torch's "meta" device have shapes only."""
import hashlib
import pathlib
import sys

import torch
from torch import nn
from torchvision.models.swin_transformer import ShiftedWindowAttention

sys.path.insert(0, str(pathlib.Path(__file__).parents[4] / "examples/zoo/pytorch"))
import compare
import weights


def count(model, shape):
    """Multiply-adds of one sample."""
    total = []

    def layer(module, inputs, output):
        total.append(output.numel() * module.weight[0].numel())

    def attention(module, inputs, output):
        batch, tokens, width = output[0].shape
        total.append(batch * (4 * tokens * width ** 2 + 2 * tokens ** 2 * width))

    def windows(module, inputs, output):
        batch, height, width, channels = output.shape
        window, shift = module.window_size[0], module.shift_size[0]
        # Of shifted windows only the pairs of places that the mask leaves: at the edges parts of `shift` and of the rest.
        cut = 0 if shift == 0 or height == window else window ** 2 - shift ** 2 - (window - shift) ** 2
        pairs = (height * window - cut) * (width * window - cut)
        total.append(batch * (4 * height * width * channels ** 2 + 2 * pairs * channels))

    hooks = {nn.MultiheadAttention: attention, ShiftedWindowAttention: windows, nn.Linear: layer, nn.modules.conv._ConvNd: layer}
    for module in model.modules():
        for kind, hook in hooks.items():
            if isinstance(module, kind):
                module.register_forward_hook(hook)
                break
    batch = 2       # batch norm of a single value would refuse
    model.train().to("meta")(torch.zeros(batch, *shape, device="meta"))
    return sum(total) // batch


def main():
    lines = []
    for name in sorted(compare.MODELS):
        model, shape = weights.build(name, {}), weights.shape_of(name, None)
        names = sorted(f"{weights.label(key)} {'x'.join(map(str, value.shape))}" for key, value in model.state_dict().items() if value.is_floating_point())
        digest = hashlib.sha256("\n".join(names).encode()).hexdigest()
        parameters = sum(parameter.numel() for parameter in model.parameters())
        lines.append(f"{name} {parameters} {count(model, shape)} {digest}")
    (pathlib.Path(__file__).parent / "sizes.txt").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
