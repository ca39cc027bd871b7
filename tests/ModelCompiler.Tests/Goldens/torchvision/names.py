# Writes the names and shapes of torchvision's weights (0.14) beside this file: one line for each tensor of a state_dict.
# The counters of batches, which only PyTorch keeps, are left out.
import pathlib
import torchvision

for name in [
    "alexnet", "convnext_tiny", "densenet121", "efficientnet_b0", "googlenet", "mobilenet_v2", "mobilenet_v3_small", "r3d_18", "resnet18", "resnet50",
    "resnext50_32x4d", "shufflenet_v2_x1_0", "squeezenet1_0", "squeezenet1_1", "vgg16", "vit_b_16", "wide_resnet50_2",
]:
    models = torchvision.models.video if name == "r3d_18" else torchvision.models
    options = {"init_weights": False} if name == "googlenet" else {}
    state = getattr(models, name)(weights=None, **options).state_dict()
    lines = [f"{key} {'x'.join(map(str, value.shape))}" for key, value in state.items() if not key.endswith("num_batches_tracked")]
    (pathlib.Path(__file__).parent / f"{name}.txt").write_text("\n".join(lines) + "\n")
