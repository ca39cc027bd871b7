"""Compares the networks of the zoo with torchvision's: the same random weights, loaded unchanged, the same input.

    dotnet build -c Release src/ModelCompiler.Tool
    python3 examples/zoo/pytorch/compare.py                          # every network that both have, one after another
    python3 examples/zoo/pytorch/compare.py resnet18 vit_b_16
    CNNC=path/to/cnnc.dll python3 examples/zoo/pytorch/compare.py    # another build of the tool

Prints a row for each: the largest difference from PyTorch in double precision, as a part of the largest output, for
`cnnc run` and, as a measure of what float32 can do with these weights, for PyTorch in single precision. Fails when the first is
more than ten times the second: random weights amplify roundings through a hundred layers, so no one number fits all networks.
"""
import os
import pathlib
import json
import struct
import subprocess
import sys
import tempfile

import torch

import weights

ROOT = pathlib.Path(__file__).resolve().parents[3]
CNNC = ["dotnet", os.environ.get("CNNC", str(ROOT / "src/ModelCompiler.Tool/bin/Release/net10.0/cnnc.dll"))]
TOLERANCE = 10      # times the error of PyTorch in single precision: Winograd's transforms round more than sums do

MODELS = (
    "squeezenet1_1 mobilenet_v3_small shufflenet_v2_x1_0 mobilenet_v2 resnet18 squeezenet1_0 alexnet mobilenet_v3_large efficientnet_b0"
    " mnasnet1_0 regnet_y_400mf"
    " resnet34 resnet50 vgg11 vgg11_bn resnext50_32x4d googlenet vit_b_16 convnext_tiny swin_t densenet121 inception_v3"
    " resnet101 wide_resnet50_2 vgg13 vgg13_bn vgg16 vgg16_bn vgg19 vgg19_bn resnet152 densenet169 densenet201"
    " r3d_18 r2plus1d_18 fcn_resnet50 deeplabv3_resnet50"
).split()


def read(path):
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header, body = json.loads(data[8:8 + length]), data[8 + length:]
    header.pop("__metadata__", None)
    return {name: torch.frombuffer(bytearray(body[slice(*entry["data_offsets"])]), dtype=torch.float32).view(entry["shape"])
            for name, entry in header.items()}


def compare(name, folder):
    model, shape, generator = weights.random_model(name)
    image = torch.randn(1, *shape, generator=generator)
    with torch.no_grad():
        expected = weights.logits_of(model(image.double()))
        weights.write(folder / "w.safetensors", {n: t.float() if t.is_floating_point() else t for n, t in model.state_dict().items()})
        single = weights.logits_of(model.float()(image))
    del model
    weights.write(folder / "x.safetensors", {"clip" if len(shape) == 4 else "image": image})
    run = subprocess.run(
        [*CNNC, "run", str(ROOT / f"examples/zoo/{name}.cnn"), "--weights", folder / "w.safetensors",
         "--input", folder / "x.safetensors", "--output", folder / "y.safetensors", "--threads", "1"],
        capture_output=True, text=True)
    if run.returncode != 0:
        return None, None, (run.stderr.strip().splitlines() or [f"exit code {run.returncode}"])[-1]
    actual = read(folder / "y.safetensors")["logits"].double()
    largest = expected.abs().max()
    ours, theirs = ((actual - expected).abs().max() / largest).item(), ((single.double() - expected).abs().max() / largest).item()
    return ours, theirs, "" if ours < TOLERANCE * theirs else "DIFFERS"


def main():
    torch.set_num_threads(1)
    failed = []
    print("| network | cnnc, float32 | PyTorch, float32 | |\n| --- | --- | --- | --- |", flush=True)
    for name in sys.argv[1:] or MODELS:
        with tempfile.TemporaryDirectory() as folder:
            ours, theirs, remark = compare(name, pathlib.Path(folder))
        failed += [name] if remark else []
        print(f"| {name} | {'-' if ours is None else f'{ours:.1e}'} | {'-' if theirs is None else f'{theirs:.1e}'} | {remark} |", flush=True)
    sys.exit(f"{len(failed)} differ: {' '.join(failed)}" if failed else 0)


if __name__ == "__main__":
    main()
