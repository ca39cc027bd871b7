"""What every golden of a network holds: weights, inputs and targets, outputs, loss and gradients, new buffers.

PyTorch computes in double precision from numbers that fit float32, so the files are exact to half a unit of rounding."""
import torch

import safetensors


def exact(tensor):
    """Rounds to float32, keeps double precision for what is computed from it."""
    return tensor.float().double()


def prepare(module):
    module.double()
    with torch.no_grad():
        for tensor in list(module.parameters()) + [b for b in module.buffers() if b.is_floating_point()]:
            tensor.copy_(exact(tensor))


def buffers(module):
    return {name: value.clone() for name, value in module.named_buffers() if value.is_floating_point()}


def write_weights(module, name):
    tensors = {n: t for n, t in module.state_dict().items() if t.is_floating_point()}
    safetensors.write(name + ".weights.safetensors", tensors)


def write(module, name, inputs, targets, run):
    """run(module, inputs, targets) gives the outputs by name and the loss. The module is in training mode.

    Gradients are stored under the names of the weights, those of inputs as input.NAME."""
    inputs = {n: exact(t).requires_grad_() for n, t in inputs.items()}
    module.zero_grad()
    outputs, loss = run(module, inputs, targets)
    loss.backward()
    safetensors.write(name + ".input.safetensors", {**inputs, **targets})
    safetensors.write(name + ".output.safetensors", outputs)
    gradients = {n: p.grad for n, p in module.named_parameters()}
    gradients.update({"input." + n: t.grad for n, t in inputs.items()})
    safetensors.write(name + ".gradient.safetensors", {"loss": loss, **gradients})
