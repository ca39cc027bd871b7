"""PyTorch's side of compare.py: one network, one line of JSON.

    python3 pytorch.py infer FOLDER NAME THREADS SECONDS VARIANT     eager, channels_last or jit (frozen and optimized for inference)
    python3 pytorch.py train FOLDER NAME THREADS SECONDS VARIANT     contiguous or channels_last; first STEPS steps whose losses are kept
                                                                     double: those steps alone, as the reference of both sides
"""
import json
import os
import sys
import time
import warnings

import torch
from torch import nn

from networks import NETWORKS, TRAINED, load, make, save, targets, weights

warnings.filterwarnings("ignore")
STEPS = 5


def channels_last(network, x):
    form = torch.channels_last_3d if x.dim() == 5 else torch.channels_last
    return network.to(memory_format=form), x.to(memory_format=form)


def measure(call, seconds):
    warm, calls = time.perf_counter(), 0
    while calls < 2 or time.perf_counter() - warm < min(0.7, seconds):
        call()
        calls += 1
    times, total = [], time.perf_counter()
    while len(times) < 7 or (time.perf_counter() - total < seconds and len(times) < 1 << 18):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    times.sort()
    return {"median_ms": 1e3 * times[len(times) // 2], "min_ms": 1e3 * times[0], "runs": len(times)}


def infer(name, variant, seconds):
    network, shape = make(name)
    x = torch.randn((1,) + shape)
    if variant == "channels_last":
        network, x = channels_last(network, x)
    if variant == "jit":
        with torch.no_grad():
            network = torch.jit.optimize_for_inference(torch.jit.freeze(torch.jit.trace(network, x).eval()))
    with torch.inference_mode():
        return measure(lambda: network(x), seconds)


def train(folder, name, variant, seconds):
    network, shape = make(name, dropout=False)
    network.train()
    x = torch.from_file(os.path.join(folder, name + ".batch.f32"), size=TRAINED[name][0] * torch.Size(shape).numel()).reshape((-1,) + shape).clone()
    y = targets(name, shape)
    if variant == "double":
        network, x = network.double(), x.double()
    if variant == "channels_last":
        network, x = channels_last(network, x)
    optimizer, loss = torch.optim.SGD(network.parameters(), lr=1e-3, momentum=0.9), nn.CrossEntropyLoss()

    def step():
        optimizer.zero_grad(set_to_none=True)
        value = loss(network(x), y)
        value.backward()
        optimizer.step()
        return value.item()

    losses = [step() for _ in range(STEPS)]
    if variant != "channels_last":
        save(os.path.join(folder, f"{name}.pytorch-{variant}.safetensors"), weights(network))
    return {"losses": losses, **({} if variant == "double" else measure(step, seconds))}


if __name__ == "__main__":
    kind, folder, name, threads, seconds, variant = sys.argv[1:]
    torch.set_num_threads(int(threads))
    print(json.dumps(infer(name, variant, float(seconds)) if kind == "infer" else train(folder, name, variant, float(seconds))))
