"""Losses of detectors: torchvision's own functions where it has them, else the papers' formulas in PyTorch's functions. Values and
gradients of the answers. detection.safetensors holds them as LOSS/answer, LOSS/target, LOSS/loss and LOSS/gradient.ANSWER."""
import types

import torch
from torch.nn import functional as F
from torchvision.models.detection import _utils, retinanet, roi_heads, rpn, ssd

import golden
import safetensors

BATCH = 3
tensors = {}


def drawn(*shape, scale=2):
    return golden.exact(torch.randn(BATCH, *shape) * scale).requires_grad_()


def store(name, loss, answers, targets):
    loss.backward()
    tensors[f"{name}/loss"] = loss
    for key, tensor in answers.items():
        tensors.update({f"{name}/{key}": tensor, f"{name}/gradient.{key}": tensor.grad})
    tensors.update({f"{name}/{key}": tensor for key, tensor in targets.items()})


def boxes(count):
    corner, size = torch.rand(count, 2) * 50, torch.rand(count, 2) * 40 + 5
    return golden.exact(torch.cat([corner, corner + size], 1))


def matched(anchors, lowest, classes):
    """For each image two objects, and for each anchor its object's number, -1 or lower."""
    targets = [{"boxes": boxes(2), "labels": torch.randint(1, classes, (2,))} for _ in range(BATCH)]
    places = [torch.randint(lowest, 2, (anchors,)) for _ in range(BATCH)]
    places[0].clamp_(max=-1)        # an image where nothing was found
    return targets, places, [boxes(anchors) for _ in range(BATCH)]


def encoded(targets, places, anchors, weights):
    """What offsets should be, rounded to float32 as the file has them; coders that answer so in the functions below."""
    coder = _utils.BoxCoder(weights)
    wanted = torch.stack([golden.exact(coder.encode_single(t["boxes"][m.clamp(min=0)], a)) for t, m, a in zip(targets, places, anchors)])
    positive = torch.stack([m >= 0 for m in places])
    answers = iter(wanted[i][positive[i]] for i in range(BATCH))
    return wanted, positive, types.SimpleNamespace(encode_single=lambda *_: next(answers))


def column(mask):
    return mask.double().unsqueeze(2)


def retina(anchors=7, classes=3):
    scores, offsets = drawn(anchors, classes), drawn(anchors, 4)
    targets, places, priors = matched(anchors, -2, classes)
    wanted, positive, coder = encoded(targets, places, priors, (1.0, 1.0, 1.0, 1.0))
    head = retinanet.RetinaNetHead(4, 1, classes)
    head.regression_head.box_coder = coder
    losses = head.compute_loss(targets, {"cls_logits": scores, "bbox_regression": offsets}, priors, places)
    kinds = torch.zeros(BATCH, anchors, classes).double()
    for i in range(BATCH):
        kinds[i, positive[i], targets[i]["labels"][places[i][positive[i]]]] = 1
    store("RetinaNetLoss", losses["classification"] + losses["bbox_regression"], {"scores": scores, "offsets": offsets}, {
        "classes": kinds, "places": wanted, "positive": column(positive),
        "counted": column(torch.stack([m != head.classification_head.BETWEEN_THRESHOLDS for m in places]))})


def multibox(anchors=16, classes=4):
    scores, offsets = drawn(anchors, classes), drawn(anchors, 4)
    targets, places, priors = matched(anchors, -1, classes)
    places[1][3:] = -1              # more negatives than three for each positive, of which torchvision takes the worst
    places[2][2:] = -1
    wanted, positive, coder = encoded(targets, places, priors, (10.0, 10.0, 5.0, 5.0))
    losses = ssd.SSD.compute_loss(types.SimpleNamespace(box_coder=coder, neg_to_pos_ratio=3), targets, {"cls_logits": scores, "bbox_regression": offsets}, priors, places)
    label = torch.zeros(BATCH, anchors, dtype=torch.int64)
    counted = positive.clone()
    for i in range(BATCH):
        label[i, positive[i]] = targets[i]["labels"][places[i][positive[i]]]
        errors = F.cross_entropy(scores[i], label[i], reduction="none").masked_fill(positive[i], -1)
        counted[i, errors.argsort(descending=True)[:3 * int(positive[i].sum())]] = True
    store("MultiBoxLoss", losses["classification"] + losses["bbox_regression"], {"scores": scores, "offsets": offsets}, {
        "label": label, "places": wanted, "positive": column(positive), "counted": column(counted)})


def proposal(anchors=13):
    scores, offsets, wanted = drawn(anchors, 1), drawn(anchors, 4, scale=0.2), drawn(anchors, 4, scale=0.2).detach()
    labels = torch.randint(-1, 2, (BATCH, anchors)).double()
    draw, samples = _utils.BalancedPositiveNegativeSampler(6, 0.5), []

    def sampler(given):
        samples.append(draw(given))
        return samples[-1]

    objectness, places = rpn.RegionProposalNetwork.compute_loss(
        types.SimpleNamespace(fg_bg_sampler=sampler), scores.flatten(0, 1), offsets.flatten(0, 1), list(labels), list(wanted))
    sampled = torch.stack([p + n for p, n in zip(*samples[0])])
    store("ProposalLoss", objectness + places, {"scores": scores, "offsets": offsets}, {
        "objects": (labels == 1).double().unsqueeze(2), "places": wanted, "sampled": column(sampled)})


def region(regions=6, classes=4):
    scores, offsets = drawn(regions, classes), drawn(regions, 4 * classes, scale=0.2)
    label = torch.randint(classes, (BATCH, regions))
    own = F.one_hot(label, classes).double() * column(label > 0)
    wanted = drawn(regions, 4, scale=0.2).detach() * column(label > 0)
    kinds, places = roi_heads.fastrcnn_loss(scores.flatten(0, 1), offsets.flatten(0, 1), list(label), list(wanted))
    store("RegionLoss", kinds + places, {"scores": scores, "offsets": offsets}, {"label": label, "places": wanted, "own": own})


def mask(regions=4, classes=3, size=5):
    scores = drawn(regions, classes, size, size)
    label = torch.randint(classes, (BATCH, regions))
    label[0, 0] = 1
    found, project = [labels[labels > 0] for labels in label], roi_heads.project_masks_on_boxes
    objects = [(torch.rand(len(f), 60, 60) > 0.5).double() for f in found]
    pixels = [golden.exact(project(o, boxes(len(o)), torch.arange(len(o)), size)) for o in objects]
    answers = iter(pixels)
    roi_heads.project_masks_on_boxes = lambda *_: next(answers)
    loss = roi_heads.maskrcnn_loss(scores[label > 0], [None] * BATCH, objects, found, [torch.arange(len(f)) for f in found])
    wanted = torch.zeros(BATCH, regions, size, size).double()
    wanted[label > 0] = torch.cat(pixels)
    store("MaskLoss", loss, {"scores": scores}, {"pixels": wanted, "own": F.one_hot(label, classes).double() * column(label > 0)})


def yolo_v1(size=3, count=2, classes=4):
    answers, truth = drawn(5 * count + classes, size, size, scale=0.5), drawn(5 * count + classes, size, size, scale=0.5).detach()
    occupied = torch.rand(BATCH, size, size) > 0.6
    best = torch.randint(count, (BATCH, size, size))
    loss = 0
    for i in range(BATCH):
        for row in range(size):
            for cell in range(size):
                here, wanted = answers[i, :, row, cell], truth[i, :, row, cell]
                for box in range(count):
                    place = slice(5 * box, 5 * box + 4)
                    if occupied[i, row, cell] and best[i, row, cell] == box:
                        loss = loss + 5 * (here[place] - wanted[place]).square().sum() + (here[5 * box + 4] - wanted[5 * box + 4]) ** 2
                    else:
                        loss = loss + 0.5 * (here[5 * box + 4] - wanted[5 * box + 4]) ** 2
                if occupied[i, row, cell]:
                    loss = loss + (here[5 * count:] - wanted[5 * count:]).square().sum()
    responsible = F.one_hot(best, count).permute(0, 3, 1, 2).double() * occupied.double().unsqueeze(1)
    store("YoloV1Loss", loss / BATCH, {"answers": answers}, {"truth": truth, "responsible": responsible, "occupied": occupied.double().unsqueeze(1)})


def yolo_v2(rows=9, classes=4):
    """Darknet's region layer: the gradients of its program, half a square each, with object_scale=5."""
    answers, places = drawn(rows, 5 + classes), golden.exact(torch.rand(BATCH, rows, 4))
    object, label = torch.rand(BATCH, rows) > 0.6, torch.randint(classes, (BATCH, rows))
    empty = ~object & (torch.rand(BATCH, rows) > 0.3)
    confidence = golden.exact(torch.rand(BATCH, rows)) * object
    position = torch.cat([answers[..., :2].sigmoid(), answers[..., 2:4]], 2)
    sure = answers[..., 4].sigmoid()
    loss = F.mse_loss(position[object], places[object], reduction="sum") / 2 + 5 * F.mse_loss(sure[object], confidence[object], reduction="sum") / 2 \
        + sure[empty].square().sum() / 2 + F.cross_entropy(answers[..., 5:][object], label[object], reduction="sum")
    store("YoloV2Loss", loss / BATCH, {"answers": answers}, {
        "label": label, "places": places, "confidence": confidence.unsqueeze(2), "object": column(object), "empty": column(empty)})


def yolo_v3(rows=9, classes=4):
    answers, places = drawn(rows, 5 + classes), drawn(rows, 4).detach()
    object = torch.rand(BATCH, rows) > 0.6
    counted = object | (torch.rand(BATCH, rows) > 0.3)
    kinds = (torch.rand(BATCH, rows, classes) > 0.5).double()
    loss = F.mse_loss(answers[..., :4][object], places[object], reduction="sum") / 2 \
        + F.binary_cross_entropy_with_logits(answers[..., 4][counted], object[counted].double(), reduction="sum") \
        + F.binary_cross_entropy_with_logits(answers[..., 5:][object], kinds[object], reduction="sum")
    store("YoloV3Loss", loss / BATCH, {"answers": answers}, {"classes": kinds, "places": places, "object": column(object), "counted": column(counted)})


torch.manual_seed(6)
for case in (retina, multibox, proposal, region, mask, yolo_v1, yolo_v2, yolo_v3):
    case()
safetensors.write("detection.safetensors", tensors)
