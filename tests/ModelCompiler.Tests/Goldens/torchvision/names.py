# Writes the names and shapes of torchvision's weights (0.14) beside this file: one line for each tensor of a state_dict.
# The counters of batches and Swin's tables of indices, which only PyTorch keeps, are left out.
import pathlib
import torchvision

NETWORKS = {
    torchvision.models: [
        "alexnet", "convnext_tiny", "densenet121", "efficientnet_b0", "googlenet", "inception_v3", "mobilenet_v2", "mobilenet_v3_large",
        "mobilenet_v3_small", "resnet18", "resnet50", "resnext50_32x4d", "shufflenet_v2_x1_0", "squeezenet1_0", "squeezenet1_1", "swin_t",
        "vgg16", "vgg16_bn", "vit_b_16", "wide_resnet50_2",
    ],
    torchvision.models.video: ["r3d_18", "r2plus1d_18"],
    torchvision.models.segmentation: ["deeplabv3_resnet50", "fcn_resnet50"],
    torchvision.models.detection: ["retinanet_resnet50_fpn", "ssd300_vgg16"],
}

# Networks of the zoo that are parts of Mask R-CNN, which has one file of weights for all
PARTS = {
    "rpn_resnet50_fpn": ("backbone.", "rpn."),
    "faster_rcnn_heads": ("roi_heads.box",),
    "faster_rcnn_resnet50_fpn": ("backbone.", "rpn.", "roi_heads.box"),
    "mask_rcnn_heads": ("roi_heads.",),
}


def write(name, state, prefixes=("",)):
    lines = [
        f"{key} {'x'.join(map(str, value.shape))}"
        for key, value in state.items()
        if key.startswith(prefixes) and not key.endswith(("num_batches_tracked", "relative_position_index"))
    ]
    (pathlib.Path(__file__).parent / f"{name}.txt").write_text("\n".join(lines) + "\n")


for module, names in NETWORKS.items():
    for name in names:
        options = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
        if module in (torchvision.models.segmentation, torchvision.models.detection):
            options["weights_backbone"] = None
        if module is torchvision.models.segmentation:
            options["aux_loss"] = True
        write(name, getattr(module, name)(weights=None, **options).state_dict())

whole = torchvision.models.detection.maskrcnn_resnet50_fpn(weights=None, weights_backbone=None).state_dict()
for name, prefixes in PARTS.items():
    write(name, whole, prefixes)
