"""The losses that PyTorch has too: value and gradient of the prediction. losses.txt lists the cases:
name | shape of the prediction | shape of the target | the loss as the language writes it."""
import torch
from torch.nn import functional as F

import golden
import safetensors

BATCH = 3


def classes(count, *places):
    return torch.randint(count, (BATCH, *places))


torch.manual_seed(4)
CASES = [
    ("cross_entropy", "5", "class", "cross_entropy(x, wanted)", classes(5), F.cross_entropy),
    ("cross_entropy_of_places", "4x3x2", "[class, 3, 2]", "cross_entropy(x, wanted)", classes(4, 3, 2), F.cross_entropy),
    ("cross_entropy_smoothed", "5", "class", "cross_entropy(x, wanted, label_smoothing: 0.1)", classes(5),
     lambda x, t: F.cross_entropy(x, t, label_smoothing=0.1)),
    ("cross_entropy_of_probabilities", "5", "[5]", "cross_entropy(x, wanted)", torch.rand(BATCH, 5).softmax(1), F.cross_entropy),
    ("cross_entropy_of_probabilities_smoothed", "5", "[5]", "cross_entropy(x, wanted, label_smoothing: 0.2)", torch.rand(BATCH, 5).softmax(1),
     lambda x, t: F.cross_entropy(x, t, label_smoothing=0.2)),
    ("nll", "4x3", "[class, 3]", "nll(x, wanted)", classes(4, 3), F.nll_loss),
    ("multi_margin", "5", "class", "multi_margin(x, wanted, margin: 0.5)", classes(5), lambda x, t: F.multi_margin_loss(x, t, margin=0.5)),
    ("mse", "4x3", "4x3", "mse(x, wanted)", torch.randn(BATCH, 4, 3), F.mse_loss),
    ("l1", "4x3", "4x3", "l1(x, wanted)", torch.randn(BATCH, 4, 3), F.l1_loss),
    ("smooth_l1", "4x3", "4x3", "smooth_l1(x, wanted, beta: 0.5)", torch.randn(BATCH, 4, 3), lambda x, t: F.smooth_l1_loss(x, t, beta=0.5)),
    ("binary_cross_entropy", "4x3", "4x3", "binary_cross_entropy(x, wanted)", torch.rand(BATCH, 4, 3), F.binary_cross_entropy_with_logits),
]

tensors, lines = {}, []
for name, shape, target, text, wanted, loss in CASES:
    x = golden.exact(torch.randn(BATCH, *[int(size) for size in shape.split("x")]) * 2)
    x.view(-1)[0] = 0
    x.requires_grad_()
    wanted = golden.exact(wanted) if wanted.is_floating_point() else wanted
    value = loss(x, wanted)
    value.backward()
    tensors.update({f"{name}/x": x, f"{name}/wanted": wanted, f"{name}/loss": value, f"{name}/gradient.input.x": x.grad})
    lines.append(f"{name} | {shape} | {target} | {text}")
safetensors.write("losses.safetensors", tensors)
with open("losses.txt", "w") as file:
    file.write("\n".join(lines) + "\n")
