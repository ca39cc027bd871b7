"""Small members of three families of the zoo, as torchvision (0.14) builds them: outputs in use and in training, loss, all gradients.

The networks of zoo.txt are the same ones in the language: name | file of the zoo | network."""
import sys
import pathlib

import torch
import torchvision
from torch.nn import functional as F

import golden
import safetensors

sys.path.insert(0, str(pathlib.Path(__file__).parents[4] / "tools"))
import weights

NETWORKS = {
    "mobilenet_v2": (
        torchvision.models.MobileNetV2(
            num_classes=10, width_mult=0.25, dropout=0, inverted_residual_setting=[[1, 16, 1, 1], [6, 32, 2, 2], [6, 64, 1, 2]]),
        "mobilenet_v2.cnn | MobileNetV2(classes: 10, size: 33, rows: [[1, 8, 1, 1], [6, 8, 2, 2], [6, 16, 1, 2]], first: 8, rate: 0)", 33),
    "densenet121": (
        torchvision.models.DenseNet(growth_rate=5, block_config=(3, 2), num_init_features=12, num_classes=10),
        "common/densenet.cnn | DenseNet([3, 2], growth: 5, start: 12, classes: 10, size: 45)", 45),
    "vit_b_16": (
        torchvision.models.VisionTransformer(image_size=24, patch_size=8, num_layers=2, num_heads=3, hidden_dim=24, mlp_dim=96, num_classes=10),
        "vit_b_16.cnn | ViTB16(patch: 8, width: 24, depth: 2, heads: 3, classes: 10, size: 24)", 24),
}


def run(module, inputs, targets):
    logits = module(inputs["image"])
    return {"logits": logits}, F.cross_entropy(logits, targets["label"])


lines = []
for name, (module, network, size) in NETWORKS.items():
    torch.manual_seed(5)
    generator = torch.Generator().manual_seed(5)
    weights.enliven(module, generator)
    weights.calibrate(module, (3, size, size), generator)
    golden.prepare(module)
    golden.write_weights(module, f"zoo_{name}")
    image, label = torch.randn(4, 3, size, size, generator=generator), torch.randint(10, (4,), generator=generator)
    module.eval()
    with torch.no_grad():
        safetensors.write(f"zoo_{name}.use.safetensors", {"logits": module(golden.exact(image))})
    module.train()
    golden.write(module, f"zoo_{name}", {"image": image}, {"label": label}, run)
    lines.append(f"{name} | {network}")
with open("zoo.txt", "w") as file:
    file.write("\n".join(lines) + "\n")
