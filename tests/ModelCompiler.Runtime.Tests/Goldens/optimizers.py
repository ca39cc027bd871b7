"""Writes optimizers.json: parameters after each of five steps by torch.optim, for given gradients.

Run as: python3 optimizers.py > optimizers.json   (made with torch 1.13.1)
"""
import json
import torch

COUNT, STEPS = 37, 5
start = [((7 * i) % 19 - 9) / 8 for i in range(COUNT)]
gradients = [[((5 * i + 11 * t) % 23 - 11) / (16 if i % 3 else 1024) for i in range(COUNT)] for t in range(STEPS)]

cases = {
    "sgd": lambda p: torch.optim.SGD(p, lr=0.1),
    "sgd_decay": lambda p: torch.optim.SGD(p, lr=0.1, weight_decay=0.01),
    "sgd_momentum": lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9, weight_decay=0.001),
    "sgd_nesterov": lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9, weight_decay=0.001, nesterov=True),
    "adam": lambda p: torch.optim.Adam(p, lr=0.01),
    "adam_decay": lambda p: torch.optim.Adam(p, lr=0.01, betas=(0.8, 0.95), eps=1e-6, weight_decay=0.07),
    "adamw": lambda p: torch.optim.AdamW(p, lr=0.01, weight_decay=0.1),
    "adam_clip": lambda p: torch.optim.Adam(p, lr=0.01),
    "sgd_clip": lambda p: torch.optim.SGD(p, lr=0.5, momentum=0.5),
    "sgd_clip_value": lambda p: torch.optim.SGD(p, lr=0.5, momentum=0.5),
    "adamw_clip_both": lambda p: torch.optim.AdamW(p, lr=0.01, weight_decay=0.1),
}


def trajectory(name):
    p = torch.nn.Parameter(torch.tensor(start))
    optimizer = cases[name]([p])
    rows = []
    for gradient in gradients:
        p.grad = torch.tensor(gradient)
        if name.endswith(("_clip_value", "_clip_both")):
            torch.nn.utils.clip_grad_value_([p], 0.2)
        if name.endswith(("_clip", "_clip_both")):
            torch.nn.utils.clip_grad_norm_([p], 0.5)
        optimizer.step()
        rows.append(p.detach().tolist())
    return rows


def lamb(lr=0.1, b1=0.9, b2=0.999, eps=1e-6, decay=0.1):
    """Algorithm 2 of You et al. 2020 in double precision; torch.optim has none."""
    p = torch.tensor(start, dtype=torch.float64)
    m, v, rows = torch.zeros_like(p), torch.zeros_like(p), []
    for t, gradient in enumerate(gradients, 1):
        g = torch.tensor(gradient, dtype=torch.float64)
        m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g * g
        u = (m / (1 - b1 ** t)) / ((v / (1 - b2 ** t)).sqrt() + eps) + decay * p
        p = p - lr * p.norm() / u.norm() * u
        rows.append(p.tolist())
    return rows


def groups():
    """AdamW with a group of its own for a second parameter: a tenth of the rate, no decay."""
    p, q = torch.nn.Parameter(torch.tensor(start)), torch.nn.Parameter(torch.tensor(start))
    optimizer = torch.optim.AdamW([{"params": [p]}, {"params": [q], "lr": 0.001, "weight_decay": 0}], lr=0.01, weight_decay=0.1)
    rows = []
    for gradient in gradients:
        p.grad, q.grad = torch.tensor(gradient), torch.tensor(gradient)
        optimizer.step()
        rows.append(q.detach().tolist())
    return rows


def averages(avg_fn=None, begin=0):
    """Averages of the weights of the case "sgd" by torch.optim.swa_utils, from step `begin`."""
    model = torch.nn.Module()
    model.p = torch.nn.Parameter(torch.tensor(start))
    average = torch.optim.swa_utils.AveragedModel(model, avg_fn=avg_fn)
    if avg_fn is not None:  # ours begins with the initial weights
        average.update_parameters(model)
    optimizer = cases["sgd"]([model.p])
    rows = []
    for step, gradient in enumerate(gradients):
        model.p.grad = torch.tensor(gradient)
        optimizer.step()
        if step >= begin:
            average.update_parameters(model)
        rows.append(average.module.p.detach().tolist())
    return rows


def schedule(make, steps=20):
    p = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([p], lr=1.0)
    scheduler = make(optimizer)
    rates = []
    for _ in range(steps):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return rates


lr = torch.optim.lr_scheduler
print(json.dumps({
    "start": start,
    "gradients": gradients,
    "after": {**{name: trajectory(name) for name in cases}, "lamb": lamb(), "adamw_groups": groups()},
    "averages": {
        "ema": averages(lambda old, new, count: 0.75 * old + 0.25 * new),
        "swa": averages(begin=2),
    },
    "schedules": {
        "steps": schedule(lambda o: lr.StepLR(o, 6, gamma=0.3)),
        "cosine": schedule(lambda o: lr.CosineAnnealingLR(o, 20, eta_min=0.05)),
        "warmup": schedule(lambda o: lr.ChainedScheduler([
            lr.LinearLR(o, start_factor=1 / 4, total_iters=3), lr.CosineAnnealingLR(o, 20)])),
        "onecycle": schedule(lambda o: lr.OneCycleLR(o, 1.0, total_steps=21, cycle_momentum=False)),
    },
}, indent=None, separators=(",", ":")))
