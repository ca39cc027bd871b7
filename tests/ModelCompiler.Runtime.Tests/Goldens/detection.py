"""Boxes, anchors, suppression and matching as torchvision (0.14) computes them; writes detection.json beside itself."""
import json
import pathlib

import torch
from torchvision import ops
from torchvision.models.detection import _utils, anchor_utils, retinanet
from torchvision.models.detection.image_list import ImageList

torch.manual_seed(4)


def random_boxes(count, grid=0.25):
    """Corners on a grid, so that equal overlaps are exactly equal."""
    corners = (torch.rand(count, 2) * 60 / grid).round() * grid
    sizes = (torch.rand(count, 2) * 40 / grid).round() * grid
    return torch.cat([corners, corners + sizes], 1)


def flat(tensor):
    return [float(value) for value in tensor.flatten()]


def anchors(generator, size, maps):
    images = ImageList(torch.zeros(1, 3, *size), [tuple(size)])
    boxes = generator(images, [torch.zeros(1, 1, *m) for m in maps])
    return {"image": list(size), "maps": [list(m) for m in maps], "boxes": flat(boxes[0])}


boxes = torch.cat([random_boxes(60), random_boxes(10).repeat(2, 1)])      # the last come twice
scores = (torch.rand(80) * 20).round() / 20                                # with equal ones among them
classes = torch.randint(3, (80,))
first, second = random_boxes(9), random_boxes(7)
proposals = random_boxes(12) + torch.tensor([0.0, 0, 2, 3])
wanted = random_boxes(12) + torch.tensor([0.0, 0, 1, 1])
offsets = torch.randn(12, 4) * 2
offsets[0, 2], offsets[1, 3] = 80, 70                                      # beyond the largest growth
coders = {"proposals": _utils.BoxCoder((1.0, 1.0, 1.0, 1.0)), "regions": _utils.BoxCoder((10.0, 10.0, 5.0, 5.0))}
objects, candidates = random_boxes(4) + torch.tensor([0.0, 0, 20, 20]), random_boxes(120) + torch.tensor([0.0, 0, 10, 10])
pyramid = [(3, 4), (2, 3), (2, 2), (1, 1), (1, 1)]
ssd = anchor_utils.DefaultBoxGenerator(
    [[2], [2, 3], [2, 3], [2, 3], [2], [2]], scales=[0.07, 0.15, 0.33, 0.51, 0.69, 0.87, 1.05], steps=[8, 16, 32, 64, 100, 300])

result = {
    "boxes": flat(boxes), "scores": flat(scores), "classes": classes.tolist(),
    "nms": {str(t): ops.nms(boxes, scores, t).tolist() for t in (0.0, 0.3, 0.5, 0.7, 1.0)},
    "batchedNms": {str(t): ops.batched_nms(boxes, scores, classes, t).tolist() for t in (0.3, 0.5)},
    "first": flat(first), "second": flat(second),
    "iou": flat(ops.box_iou(first, second)), "giou": flat(ops.generalized_box_iou(first, second)),
    "clipped": flat(ops.clip_boxes_to_image(boxes - 10, (37, 45))),
    "proposals": flat(proposals), "wanted": flat(wanted), "offsets": flat(offsets),
    "encoded": {n: flat(c.encode_single(wanted, proposals)) for n, c in coders.items()},
    "decoded": {n: flat(c.decode_single(offsets, proposals)) for n, c in coders.items()},
    "objects": flat(objects), "candidates": flat(candidates),
    "matches": _utils.Matcher(0.5, 0.3, True)(ops.box_iou(objects, candidates)).tolist(),
    "strictMatches": _utils.Matcher(0.5, 0.3, False)(ops.box_iou(objects, candidates)).tolist(),
    "fasterRcnn": anchors(anchor_utils.AnchorGenerator(((128, 256, 512),), ((0.5, 1.0, 2.0),)), (100, 130), [(3, 4)]),
    "pyramid": anchors(anchor_utils.AnchorGenerator(((32,), (64,), (128,), (256,), (512,)), ((0.5, 1.0, 2.0),) * 5), (64, 100), pyramid),
    "retinaNet": anchors(retinanet._default_anchorgen(), (64, 100), pyramid),
    "ssd300": anchors(ssd, (300, 300), [(3, 4), (2, 2), (2, 1), (1, 1), (1, 1), (1, 1)]),
}
(pathlib.Path(__file__).parent / "detection.json").write_text(json.dumps(result) + "\n")
