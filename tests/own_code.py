"""Code for the tests of what can and what cannot be followed."""

from __future__ import annotations

import random

import numpy as np
import torch

STATE = [0]


def detour(x):
    """A value that goes through NumPy, where autograd loses it."""
    return torch.from_numpy(np.sin(x.detach().numpy())) * x


def escaped(x):
    """A factor that leaves the tensors."""
    return x * x.sum().item()


def branch(x):
    """A branch on a value."""
    return x * 2 if x.sum().item() > 0 else x * 3


def stateful(x):
    """Another function in each call."""
    STATE[0] += 1
    return x * STATE[0]


def drawn(x):
    """Numbers that torch's seed does not know."""
    return x * random.random()  # noqa: S311 - no secret


def masked(x):
    """Numbers that it does know."""
    return torch.nn.functional.dropout(x, 0.5) * x


def spectrum(x):
    """Complex numbers on the way."""
    return torch.fft.fft(x).abs()


def swallowed(x):
    """An exception of the recorder's that is caught must not hide what was not followed."""
    try:
        return torch.fft.fft(x).abs() ** 2
    except Exception:  # noqa: BLE001 - as people write it
        return x**2


def several(x, y):
    """More than one value, and a whole number among them."""
    return {"product": x * y, "rest": [y.exp(), torch.tensor(3)]}


def written(x):
    """Writes in place, through views."""
    y = x.clone()
    y[0] *= 2
    z = y.view(-1)
    z[1:] += x[:-1]
    return y


def cut(x):
    """A path that ends."""
    return x.detach() * 2


def keyword(x, *, power=2):
    """An argument by its name alone."""
    return x**power


def picked(x, rows):
    """Whole numbers pick rows."""
    return x[rows] ** 2


def nothing(x):
    """No tensor."""
    return


def broken(x):
    """It raises."""
    message = "not today"
    raise LookupError(message)


class Raises(torch.autograd.Function):
    """A backward that raises."""

    @staticmethod
    def forward(ctx, x):
        return x * 2

    @staticmethod
    def backward(ctx, grad):
        return {}["missing"]


class SetUp(torch.autograd.Function):
    """A context that is set up apart, and an argument that is no tensor."""

    @staticmethod
    def forward(x, power):
        return x**power

    @staticmethod
    def setup_context(ctx, inputs, output):
        x, ctx.power = inputs
        ctx.save_for_backward(x)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * ctx.power * x ** (ctx.power - 1), None


class Sign(torch.autograd.Function):
    """A straight-through estimator."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return torch.sign(x)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * (x.abs() < 1)


class Tied(torch.nn.Module):
    """One parameter under two names, and a buffer that every call changes."""

    def __init__(self):
        super().__init__()
        self.first = torch.nn.Linear(2, 2, bias=False)
        self.second = torch.nn.Linear(2, 2, bias=False)
        self.second.weight = self.first.weight
        self.register_buffer("seen", torch.zeros(()))

    def forward(self, x):
        self.seen += 1
        return self.second(torch.tanh(self.first(x))) * self.seen


class Scaled(torch.autograd.Function):
    """The right gradient, times a factor beside 1."""

    factor = 1.0

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return torch.sin(x)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * torch.cos(x) * Scaled.factor
