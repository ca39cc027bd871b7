"""LeNet-5 (LeCun et al., 1998) in its two usual forms: tanh with average pooling, relu with max pooling."""
import torch
from torch import nn
from torch.nn import functional as F

import golden


class LeNet5(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 5, padding=2)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.dense1 = nn.Linear(400, 120)
        self.dense2 = nn.Linear(120, 84)
        self.dense3 = nn.Linear(84, 10)

    def forward(self, x, activation, pool):
        x = pool(activation(self.conv1(x)), 2)
        x = pool(activation(self.conv2(x)), 2)
        x = activation(self.dense1(x.flatten(1)))
        return self.dense3(activation(self.dense2(x)))


def run(activation, pool):
    def step(module, inputs, targets):
        logits = module(inputs["image"], activation, pool)
        return {"probabilities": logits.softmax(1)}, F.cross_entropy(logits, targets["label"])
    return step


torch.manual_seed(1)
module = LeNet5()
golden.prepare(module)
golden.write_weights(module, "lenet5")
image, label = torch.randn(3, 1, 28, 28), torch.tensor([7, 0, 3])
golden.write(module, "lenet5_tanh", {"image": image}, {"label": label}, run(torch.tanh, F.avg_pool2d))
golden.write(module, "lenet5_relu", {"image": image}, {"label": label}, run(torch.relu, F.max_pool2d))
