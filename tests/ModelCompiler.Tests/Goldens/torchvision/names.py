# Writes the names and shapes of torchvision's weights (0.14) beside this file: one line for each tensor of a state_dict.
# The counters of batches, which only PyTorch keeps, are left out.
import pathlib
import torchvision

for name in ["alexnet", "densenet121", "mobilenet_v2", "resnet18", "resnet50", "vgg16"]:
    state = getattr(torchvision.models, name)(weights=None).state_dict()
    lines = [f"{key} {'x'.join(map(str, value.shape))}" for key, value in state.items() if not key.endswith("num_batches_tracked")]
    (pathlib.Path(__file__).parent / f"{name}.txt").write_text("\n".join(lines) + "\n")
