"""Turns PyTorch's weights into safetensors, which `Parameters.Load` and `cnnc` read, and writes what a network answers.

    python3 examples/zoo/pytorch/weights.py convert resnet18.pth resnet18.safetensors
    python3 examples/zoo/pytorch/weights.py torchvision resnet18 out/            # random weights, one input, its output
    python3 examples/zoo/pytorch/weights.py torchvision squeezenet1_1 out/ --size 64 --gradients --options num_classes=10

Needs torch, and torchvision for the second form. `docs/weights.md` says how names have to agree.
"""
import argparse
import ast
import collections
import json
import pathlib
import struct

import torch

# The format's words for element types, and how the bytes are reached: numpy, which torch uses for it, has no bfloat16.
KINDS = {
    torch.float64: "F64", torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16", torch.bool: "BOOL",
    torch.int64: "I64", torch.int32: "I32", torch.int16: "I16", torch.int8: "I8", torch.uint8: "U8",
}


def label(name):
    """The name as labels can spell it: RegNet's block1-0 is block1_0."""
    return name.replace("-", "_")


def write(path, tensors):
    """Writes name -> tensor: a length, a JSON header, the bytes. Tensors that share memory are written once each."""
    header, parts, begin = {}, [], 0
    for name, tensor in tensors.items():
        if tensor.dtype not in KINDS:
            raise SystemExit(f"{name} is {tensor.dtype}, which safetensors has no word for")
        # Not every tensor is contiguous, and a view carries its whole storage: the copy has the elements alone.
        tensor = tensor.detach().cpu().contiguous().clone()
        raw = (tensor.view(torch.int16) if tensor.dtype == torch.bfloat16 else tensor).numpy().tobytes()
        header[label(name)] = {"dtype": KINDS[tensor.dtype], "shape": list(tensor.shape), "data_offsets": [begin, begin + len(raw)]}
        parts.append(raw)
        begin += len(raw)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        file.writelines(parts)


def state_of(loaded):
    """The state_dict in what torch.load gave: itself, a module, or a checkpoint that holds it beside other things."""
    if isinstance(loaded, torch.nn.Module):
        return loaded.state_dict()
    if not isinstance(loaded, collections.abc.Mapping):
        raise SystemExit(f"the file holds a {type(loaded).__name__}, not a state_dict or a module")
    for key in ("state_dict", "model_state_dict", "model"):
        if key in loaded and not isinstance(loaded[key], torch.Tensor):
            return state_of(loaded[key])
    rest = [key for key, value in loaded.items() if not isinstance(value, torch.Tensor)]
    if rest or not loaded:
        raise SystemExit(f"the file holds no state_dict; it has {', '.join(map(str, rest[:5])) or 'nothing'}")
    # DataParallel puts a word in front of every name.
    if all(key.startswith("module.") for key in loaded):
        return {key[len("module."):]: value for key, value in loaded.items()}
    return dict(loaded)


def build(name, options):
    """A torchvision model with fresh weights, whatever its family calls the switch for the rest."""
    import torchvision

    for module in (torchvision.models, torchvision.models.video, torchvision.models.segmentation):
        if hasattr(module, name):
            if name in ("googlenet", "inception_v3"):
                options = {"init_weights": False, "aux_logits": True, **options}
            if module is torchvision.models.segmentation:
                options = {"weights_backbone": None, "aux_loss": True, **options}
            return getattr(module, name)(weights=None, **options)
    raise SystemExit(f"torchvision has no model '{name}'")


def shape_of(name, size):
    if name.startswith(("r3d", "r2plus1d", "mc3")):
        return (3, 16, size or 112, size or 112)
    usual = 299 if name == "inception_v3" else 520 if name.endswith("_resnet50") and name[0] in "fd" else 224
    return (3, size or usual, size or usual)


def enliven(model, generator):
    """Draws what a fresh network leaves constant: scales of 1, shifts of 0, layer scales of 1e-6 and heads of 0 hide
    mistakes. Then every batch norm gets the statistics of real activations, slightly off, as after training."""
    for parameter in model.parameters():
        first = parameter.detach().flatten()[0]
        if (parameter == first).all():
            base = first if first.abs() > 1e-3 else torch.zeros(())
            parameter.data.copy_(base + 0.1 * torch.randn(parameter.shape, generator=generator))


def calibrate(model, shape, generator):
    norms = [m for m in model.modules() if isinstance(m, torch.nn.modules.batchnorm._BatchNorm)]
    for norm in norms:
        norm.momentum = None        # the plain mean of what is seen
    model.train()
    with torch.no_grad():
        model(torch.randn(2, *shape, generator=generator))
        for norm in norms:
            norm.running_mean += 0.1 * norm.running_var.sqrt() * torch.randn(norm.running_mean.shape, generator=generator)
            norm.running_var *= 0.8 + 0.4 * torch.rand(norm.running_var.shape, generator=generator)


def logits_of(result):
    if isinstance(result, tuple):       # GoogLeNet and Inception in training
        result = result[0]
    return result["out"] if isinstance(result, collections.abc.Mapping) else result


def random_model(name, size=None, seed=0, options=None):
    """A model with lively random weights that fit float32, in double precision, and the shape of its input."""
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    model, shape = build(name, options or {}), shape_of(name, size)
    enliven(model, generator)
    calibrate(model, shape, generator)
    return model.eval().double(), shape, generator


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    convert = commands.add_parser("convert", help="a .pth to safetensors")
    convert.add_argument("source")
    convert.add_argument("target")
    pair = commands.add_parser("torchvision", help="random weights of a model, an input and its output")
    pair.add_argument("model")
    pair.add_argument("folder", type=pathlib.Path)
    pair.add_argument("--size", type=int, help="height and width of the input")
    pair.add_argument("--batch", type=int, default=1)
    pair.add_argument("--seed", type=int, default=0)
    pair.add_argument("--options", nargs="*", default=[], metavar="NAME=VALUE", help="arguments of the model's constructor")
    pair.add_argument("--gradients", action="store_true", help="also loss and gradients of cross entropy, in training mode")
    arguments = parser.parse_args()

    if arguments.command == "convert":
        state = state_of(torch.load(arguments.source, map_location="cpu"))
        write(arguments.target, state)
        print(f"{arguments.target}: {len(state)} tensors, {sum(t.numel() for t in state.values()):,} elements")
        return

    options = {key: ast.literal_eval(value) for key, value in (option.split("=", 1) for option in arguments.options)}
    model, shape, generator = random_model(arguments.model, arguments.size, arguments.seed, options)
    name, batch = arguments.model, arguments.batch
    arguments.folder.mkdir(parents=True, exist_ok=True)

    def save(what, tensors):
        write(arguments.folder / f"{name}.{what}.safetensors", {n: t.float() if t.is_floating_point() else t for n, t in tensors.items()})

    key = "clip" if len(shape) == 4 else "image"
    image = torch.randn(batch, *shape, generator=generator).double().requires_grad_()
    save("weights", model.state_dict())
    with torch.no_grad():
        logits = logits_of(model(image))
    save("output", {"logits": logits})
    if not arguments.gradients:
        save("input", {key: image})
        return

    # Gradients are those of a batch's own statistics; dropout, which draws, is off.
    model.train()
    for module in model.modules():
        if isinstance(module, torch.nn.modules.dropout._DropoutNd):
            module.eval()
    label = torch.randint(logits.shape[1], (batch, *logits.shape[2:]), generator=generator)
    save("input", {key: image, "label": label})
    logits = logits_of(model(image))
    loss = torch.nn.functional.cross_entropy(logits, label)
    loss.backward()
    save("training", {"logits": logits})
    save("gradient", {"loss": loss, "input." + key: image.grad, **{n: p.grad for n, p in model.named_parameters() if p.grad is not None}})


if __name__ == "__main__":
    main()
