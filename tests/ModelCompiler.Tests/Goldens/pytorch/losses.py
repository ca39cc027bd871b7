"""Losses: value and gradient of the prediction. Where PyTorch has none its formula is written here in PyTorch's functions.
losses.txt lists the cases: name | shape of the prediction | the loss as the language writes it | shape of the target."""
import torch
import torchvision
from torch.nn import functional as F

import golden
import safetensors

BATCH = 3


def classes(count, *places):
    return torch.randint(count, (BATCH, *places))


def ignoring(count, ignored, *places):
    """Classes, of which some are ignored."""
    drawn = classes(count, *places)
    drawn.view(-1)[::3] = ignored
    return drawn


def dice(x, t):
    both, sizes = (x * t).sum(2), (x + t).sum(2)
    return (1 - (2 * both + 0.5) / (sizes + 0.5)).mean()


def info_nce(x, t, temperature, normalize=True):
    if normalize:
        x, t = F.normalize(x, dim=2), F.normalize(t, dim=2)
    return F.cross_entropy((x @ t.transpose(1, 2) / temperature).transpose(1, 2), torch.arange(x.shape[1]).expand(x.shape[0], -1))


WEIGHTS = torch.tensor([1, 2, 0.5, 0.25, 3]).double()

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
    ("cross_entropy/weights", "5", "class", "cross_entropy(x, wanted, weights: [1, 2, 0.5, 0.25, 3])", classes(5), lambda x, t: F.cross_entropy(x, t, WEIGHTS)),
    ("cross_entropy/ignored", "5x3x2", "[class, 3, 2]", "cross_entropy(x, wanted, ignore_index: 255)", ignoring(5, 255, 3, 2),
     lambda x, t: F.cross_entropy(x, t, ignore_index=255)),
    ("cross_entropy/ignored_class", "5x3x2", "[class, 3, 2]", "cross_entropy(x, wanted, ignore_index: 2, label_smoothing: 0.1)", ignoring(5, 2, 3, 2),
     lambda x, t: F.cross_entropy(x, t, ignore_index=2, label_smoothing=0.1)),
    ("cross_entropy/all", "5x3x2", "[class, 3, 2]", "cross_entropy(x, wanted, weights: [1, 2, 0.5, 0.25, 3], ignore_index: -100, label_smoothing: 0.2)",
     ignoring(5, -100, 3, 2), lambda x, t: F.cross_entropy(x, t, WEIGHTS, label_smoothing=0.2)),
    ("cross_entropy/sum", "5x3", "[class, 3]", "cross_entropy(x, wanted, ignore_index: 0, reduction: sum)", ignoring(5, 0, 3),
     lambda x, t: F.cross_entropy(x, t, ignore_index=0, reduction="sum")),
    ("cross_entropy/none", "5x3", "[class, 3]", "total(square(cross_entropy(x, wanted, reduction: none)))", classes(5, 3),
     lambda x, t: F.cross_entropy(x, t, reduction="none").square().mean()),
    ("cross_entropy/probabilities_of_places", "5x3x2", "5x3x2", "cross_entropy(x, wanted, weights: [1, 2, 0.5, 0.25, 3], label_smoothing: 0.1)",
     torch.rand(BATCH, 5, 3, 2).softmax(1), lambda x, t: F.cross_entropy(x, t, WEIGHTS, label_smoothing=0.1)),
    ("nll/ignored", "5x3", "[class, 3]", "nll(x, wanted, ignore_index: 7, weights: [1, 2, 0.5, 0.25, 3])", ignoring(5, 7, 3),
     lambda x, t: F.nll_loss(x, t, WEIGHTS, ignore_index=7)),
    ("multi_margin/squared", "5", "class", "multi_margin(x, wanted, p: 2, weights: [1, 2, 0.5, 0.25, 3])", classes(5),
     lambda x, t: F.multi_margin_loss(x, t, 2, 1, WEIGHTS)),
    ("mse/sum", "4x3", "4x3", "mse(x, wanted, reduction: sum)", torch.randn(BATCH, 4, 3), lambda x, t: F.mse_loss(x, t, reduction="sum")),
    ("smooth_l1/masked", "4x3", "4x3", "total(wanted * smooth_l1(x, wanted, reduction: none), reduction: sum) / total(wanted, reduction: sum)", torch.rand(BATCH, 4, 3),
     lambda x, t: (t * F.smooth_l1_loss(x, t, reduction="none")).sum() / t.sum()),
    ("binary_cross_entropy/weights", "3x2", "3x2", "binary_cross_entropy(x, wanted, positive_weights: [1, 3, 0.5])", torch.rand(BATCH, 3, 2),
     lambda x, t: F.binary_cross_entropy_with_logits(x, t, pos_weight=torch.tensor([[1], [3], [0.5]]).double())),
    ("focal", "4x3", "4x3", "focal(x, wanted)", torch.rand(BATCH, 4, 3).round(), lambda x, t: torchvision.ops.sigmoid_focal_loss(x, t, reduction="mean")),
    ("focal/gamma", "4x3", "4x3", "focal(x, wanted, gamma: 1.5, alpha: 0.75, reduction: sum)", torch.rand(BATCH, 4, 3),
     lambda x, t: torchvision.ops.sigmoid_focal_loss(x, t, 0.75, 1.5, "sum")),
    ("hinge", "4x3", "4x3", "hinge(x, wanted)", torch.rand(BATCH, 4, 3).round() * 2 - 1, lambda x, t: (1 - x * t).clamp(min=0).mean()),
    ("dice", "2x6", "2x6", "dice(x, wanted, smooth: 0.5)", torch.rand(BATCH, 2, 6).round(), dice),
    ("info_nce", "4x6", "4x6", "info_nce(x, wanted, temperature: 0.5)", torch.randn(BATCH, 4, 6), lambda x, t: info_nce(x, t, 0.5)),
    ("info_nce/plain", "4x6", "4x6", "info_nce(x, wanted, temperature: 2, normalize: false)", torch.randn(BATCH, 4, 6), lambda x, t: info_nce(x, t, 2, False)),
]

tensors, lines = {}, []
for name, shape, target, text, wanted, loss in CASES:
    x = golden.exact(torch.randn(BATCH, *[int(size) for size in shape.split("x")]) * 2)
    x.view(-1)[0] = 0
    if name == "dice":
        x = golden.exact(x.sigmoid())
    x.requires_grad_()
    wanted = golden.exact(wanted) if wanted.is_floating_point() else wanted
    value = loss(x, wanted)
    value.backward()
    tensors.update({f"{name}/x": x, f"{name}/wanted": wanted, f"{name}/loss": value, f"{name}/gradient.input.x": x.grad})
    lines.append(f"{name} | {shape} | {text} | {target}")
safetensors.write("losses.safetensors", tensors)
with open("losses.txt", "w") as file:
    file.write("\n".join(lines) + "\n")
