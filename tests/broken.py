"""Functions, `autograd.Function`s and modules that are broken, each in one way and beside a right
twin; `ROWS` says what is wrong with each.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import nn
from torch.autograd import Function


class Row(NamedTuple):
    """A broken object of this file, and the twin that is right.

    Attributes:
        args: as `--arg` takes them.
        kind: of the explanation.
        says: words that it has to have, factor and lines among them.
        variant: the only one that is tried; none where the call itself is wrong.
        proved: whether the twin is proved for all inputs.
    """

    broken: str
    twin: str
    args: tuple[str, ...]
    kind: str
    says: str = ""
    variant: str = ""
    wrt: tuple[str, ...] = ()
    proved: bool = True


ROWS: list[Row] = []


def row(twin, *args, kind, says="", **more):
    """Registers a broken object."""

    def register(broken):
        ROWS.append(Row(broken.__name__, twin.__name__, args, kind, says, **more))
        return broken

    return register


# Factors and signs.


class MeanSquare(Function):
    @staticmethod
    def forward(ctx, p, q):
        ctx.save_for_backward(p, q)
        return ((p - q) ** 2).mean()

    @staticmethod
    def backward(ctx, up):
        p, q = ctx.saved_tensors
        dp = up * 2 * (p - q) / p.numel()
        return dp, -dp


@row(MeanSquare, "p=randn(3,2)", "q=randn(3,2)", kind="factor", says="6 times")
class MeanSquareSummed(MeanSquare):
    @staticmethod
    def backward(ctx, up):
        p, q = ctx.saved_tensors
        dp = up * 2 * (p - q)
        return dp, -dp


@row(MeanSquare, "p=randn(5,2)", "q=randn(5,2)", kind="factor", says="size of the batch")
class MeanSquarePerSample(MeanSquare):
    @staticmethod
    def backward(ctx, up):
        p, q = ctx.saved_tensors
        dp = up * 2 * (p - q) / p.shape[1]
        return dp, -dp


@row(MeanSquare, "p=randn(4)", "q=randn(4)", kind="factor", says="half the derivative")
class MeanSquareHalf(MeanSquare):
    @staticmethod
    def backward(ctx, up):
        p, q = ctx.saved_tensors
        dp = up * (p - q) / p.numel()
        return dp, -dp


@row(
    MeanSquare,
    "p=randn(4)",
    "q=randn(4)",
    kind="sign",
    says="the gradient of `q`: the sign is wrong",
)
class MeanSquareSign(MeanSquare):
    @staticmethod
    def backward(ctx, up):
        p, q = ctx.saved_tensors
        dp = up * 2 * (p - q) / p.numel()
        return dp, dp


class Weighed(Function):
    @staticmethod
    def forward(ctx, u, v):
        ctx.save_for_backward(u, v)
        return u * v**2

    @staticmethod
    def backward(ctx, up):
        u, v = ctx.saved_tensors
        return up * v**2, up * 2 * u * v


@row(Weighed, "u=randn(4)", "v=randn(4)", kind="exchanged", says="exchanged")
class WeighedExchanged(Weighed):
    @staticmethod
    def backward(ctx, up):
        u, v = ctx.saved_tensors
        return up * 2 * u * v, up * v**2


class Scaled(Function):
    @staticmethod
    def forward(ctx, x, scale):
        ctx.save_for_backward(x)
        ctx.scale = scale
        return scale * torch.sin(x)

    @staticmethod
    def backward(ctx, up):
        (x,) = ctx.saved_tensors
        return up * ctx.scale * torch.cos(x), None


@row(
    Scaled,
    "x=randn(4)",
    "scale=0.3",
    kind="factor",
    says="the factor 0.3 of the forward is missing",
)
class ScaledNot(Scaled):
    @staticmethod
    def backward(ctx, up):
        (x,) = ctx.saved_tensors
        return up * torch.cos(x), None


@row(Scaled, "x=randn(4)", "scale=0.3", kind="function", says="`sin` stands where `cos`")
class ScaledSine(Scaled):
    @staticmethod
    def backward(ctx, up):
        (x,) = ctx.saved_tensors
        return up * ctx.scale * torch.sin(x), None


class GeluTanh(Function):
    @staticmethod
    def forward(ctx, x):
        k = math.sqrt(2 / math.pi)
        t = torch.tanh(k * (x + 0.044715 * x**3))
        ctx.save_for_backward(x, t)
        return 0.5 * x * (1 + t)

    @staticmethod
    def backward(ctx, up):
        x, t = ctx.saved_tensors
        k = math.sqrt(2 / math.pi)
        inner = k * (1 + 3 * 0.044715 * x**2)
        return up * (0.5 * (1 + t) + 0.5 * x * (1 - t**2) * inner)


@row(GeluTanh, "x=randn(4)", kind="digits", says="digits only", proved=False)
class GeluTanhSingle(GeluTanh):
    @staticmethod
    def backward(ctx, up):
        x, t = ctx.saved_tensors
        k = 0.797884583473205566
        inner = k * (1 + 3 * 0.044715 * x**2)
        return up * (0.5 * (1 + t) + 0.5 * x * (1 - t**2) * inner)


@row(
    GeluTanh,
    "x=randn(4)",
    kind="part-factor",
    says="the factor 0.797885 of the forward is missing",
    proved=False,
)
class GeluTanhInner(GeluTanh):
    @staticmethod
    def backward(ctx, up):
        x, t = ctx.saved_tensors
        k = math.sqrt(2 / math.pi)
        inner = 1 + 3 * 0.044715 * x**2
        return up * (0.5 * (1 + t) + 0.5 * x * (1 - t**2) * inner) + 0 * k


@row(GeluTanh, "x=randn(4)", kind="part-factor", says="2/3 times", proved=False)
class GeluTanhThree(GeluTanh):
    @staticmethod
    def backward(ctx, up):
        x, t = ctx.saved_tensors
        k = math.sqrt(2 / math.pi)
        inner = k * (1 + 2 * 0.044715 * x**2)
        return up * (0.5 * (1 + t) + 0.5 * x * (1 - t**2) * inner)


# What is done with the upstream gradient.


class Cube(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx, up):
        (x,) = ctx.saved_tensors
        return up * 3 * x**2


@row(Cube, "x=randn(2,3)", kind="cotangent-ignored", says="right where it is 1")
class CubeDropped(Cube):
    @staticmethod
    def backward(ctx, up):
        (x,) = ctx.saved_tensors
        return 3 * x**2


@row(Cube, "x=randn(2,3)", kind="cotangent-twice", says="square")
class CubeSquared(Cube):
    @staticmethod
    def backward(ctx, up):
        (x,) = ctx.saved_tensors
        return up * up * 3 * x**2


@row(Cube, "x=randn(2,3)", kind="cotangent-averaged", says="averaged")
class CubeAveraged(Cube):
    @staticmethod
    def backward(ctx, up):
        (x,) = ctx.saved_tensors
        return up.mean() * 3 * x**2


@row(Cube, "x=randn(2,3)", kind="cotangent-summed", says="summed along dim 1")
class CubeSummed(Cube):
    @staticmethod
    def backward(ctx, up):
        (x,) = ctx.saved_tensors
        return up.sum(1, keepdim=True) * 3 * x**2


@row(Cube, "x=randn(3,3)", kind="cotangent-axis", says="has to be transposed")
class CubeTurned(Cube):
    @staticmethod
    def backward(ctx, up):
        (x,) = ctx.saved_tensors
        return up.t() * 3 * x**2


@row(Cube, "x=randn(3,2)", kind="cotangent-first", says="the first row")
class CubeFirst(Cube):
    @staticmethod
    def backward(ctx, up):
        (x,) = ctx.saved_tensors
        return up[:1] * 3 * x**2


@row(Cube, "x=randn(3,2)", kind="one-row", says="only the first sample")
class CubeOneSample(Cube):
    @staticmethod
    def backward(ctx, up):
        (x,) = ctx.saved_tensors
        found = torch.zeros_like(x)
        found[0] = up[0] * 3 * x[0] ** 2
        return found


@row(Cube, "x=randn(3,2)", kind="missing-factor", says="`x` is missing")
class CubeLinear(Cube):
    @staticmethod
    def backward(ctx, up):
        (x,) = ctx.saved_tensors
        return up * 3 * x


@row(Cube, "x=2.5", kind="cotangent-ignored", variant="cotangent")
class CubeOfNumber(Cube):
    @staticmethod
    def backward(ctx, up):
        (x,) = ctx.saved_tensors
        return 3 * x**2


class RowNorm(Function):
    @staticmethod
    def forward(ctx, x):
        length = x.square().sum(1).sqrt()
        ctx.save_for_backward(x, length)
        return length

    @staticmethod
    def backward(ctx, up):
        x, length = ctx.saved_tensors
        return (up / length)[:, None] * x


@row(RowNorm, "x=randn(3,3)", kind="wrong-axis", says="meets the wrong axis")
class RowNormAxis(RowNorm):
    @staticmethod
    def backward(ctx, up):
        x, length = ctx.saved_tensors
        return (up / length) * x


@row(
    RowNorm,
    "x=randn(3,2)",
    kind="extra-factor",
    says="a division by it is missing (returned / true = length)",
)
class RowNormLength(RowNorm):
    @staticmethod
    def backward(ctx, up):
        x, _ = ctx.saved_tensors
        return up[:, None] * x


# Several results and several inputs.


class Polar(Function):
    @staticmethod
    def forward(ctx, r, a):
        ctx.save_for_backward(r, a)
        return r * torch.cos(a), r * torch.sin(a)

    @staticmethod
    def backward(ctx, gx, gy):
        r, a = ctx.saved_tensors
        c, s = torch.cos(a), torch.sin(a)
        return gx * c + gy * s, r * (gy * c - gx * s)


@row(
    Polar,
    "r=rand(3)",
    "a=randn(3)",
    kind="part-sign",
    says="the part of the second result: the sign is wrong",
)
class PolarSign(Polar):
    @staticmethod
    def backward(ctx, gx, gy):
        r, a = ctx.saved_tensors
        c, s = torch.cos(a), torch.sin(a)
        return gx * c - gy * s, r * (gy * c - gx * s)


@row(Polar, "r=rand(3)", "a=randn(3)", kind="missing-factor", says="`r` is missing")
class PolarRadius(Polar):
    @staticmethod
    def backward(ctx, gx, gy):
        _, a = ctx.saved_tensors
        c, s = torch.cos(a), torch.sin(a)
        return gx * c + gy * s, gy * c - gx * s


@row(Polar, "r=rand(3)", "a=randn(3)", kind="part-missing", says="the part of the second result")
class PolarHalf(Polar):
    @staticmethod
    def backward(ctx, gx, gy):
        r, a = ctx.saved_tensors
        c, s = torch.cos(a), torch.sin(a)
        return gx * c + gy * s, -r * gx * s


class Affine(Function):
    @staticmethod
    def forward(ctx, x, w, b):
        ctx.save_for_backward(x, w)
        return x @ w.t() + b

    @staticmethod
    def backward(ctx, up):
        x, w = ctx.saved_tensors
        return up @ w, up.t() @ x, up.sum(0)


@row(
    Affine,
    "x=randn(2,3)",
    "w=randn(3,3)",
    "b=randn(3)",
    kind="operand-transposed",
    says="`w` has to stand as it is, not transposed, in `g @ w.T`",
)
class AffineWeight(Affine):
    @staticmethod
    def backward(ctx, up):
        x, w = ctx.saved_tensors
        return up @ w.t(), up.t() @ x, up.sum(0)


@row(
    Affine,
    "x=randn(3,3)",
    "w=randn(3,3)",
    "b=randn(3)",
    kind="transposed",
    says="`w`: it is the transpose",
)
class AffineTransposed(Affine):
    @staticmethod
    def backward(ctx, up):
        x, w = ctx.saved_tensors
        return up @ w, x.t() @ up, up.sum(0)


@row(Affine, "x=randn(4,3)", "w=randn(2,3)", "b=randn(2)", kind="factor", says="1/4 times")
class AffineBias(Affine):
    @staticmethod
    def backward(ctx, up):
        x, w = ctx.saved_tensors
        return up @ w, up.t() @ x, up.mean(0)


@row(Affine, "x=randn(3,3)", "w=randn(3,3)", "b=randn(3)", kind="cotangent-axis", says="`b`")
class AffineBiasAxis(Affine):
    @staticmethod
    def backward(ctx, up):
        x, w = ctx.saved_tensors
        return up @ w, up.t() @ x, up.sum(1)


@row(
    Affine,
    "x=randn(4,3)",
    "w=randn(2,3)",
    "b=randn(2)",
    kind="no-gradient",
    says="`b`: there is none",
)
class AffineNoBias(Affine):
    @staticmethod
    def backward(ctx, up):
        x, w = ctx.saved_tensors
        return up @ w, up.t() @ x, None


class Blocks(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.shape = x.shape
        return x.permute(1, 0).reshape(-1) * 2

    @staticmethod
    def backward(ctx, up):
        n, m = ctx.shape
        return 2 * up.reshape(m, n).t()


@row(Blocks, "x=randn(2,3)", kind="reshaped", says="reshaped where it should be transposed")
class BlocksReshaped(Blocks):
    @staticmethod
    def backward(ctx, up):
        return 2 * up.reshape(ctx.shape)


class Cumulated(Function):
    @staticmethod
    def forward(ctx, x):
        return torch.cumsum(x, 0)

    @staticmethod
    def backward(ctx, up):
        return torch.cumsum(up.flip(0), 0).flip(0)


@row(Cumulated, "x=randn(4)", kind="untransposed-jacobian", says="not its transpose")
class CumulatedForward(Cumulated):
    @staticmethod
    def backward(ctx, up):
        return torch.cumsum(up, 0)


class ShiftRight(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return torch.roll(x, 2, 0) * 3

    @staticmethod
    def backward(ctx, up):
        return 3 * torch.roll(up, -2, 0)


@row(ShiftRight, "x=randn(5)", kind="shifted", says="shifted by")
class ShiftWrong(ShiftRight):
    @staticmethod
    def backward(ctx, up):
        return 3 * torch.roll(up, 1, 0)


class Softmax(Function):
    @staticmethod
    def forward(ctx, x):
        y = torch.softmax(x, -1)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx, up):
        (y,) = ctx.saved_tensors
        return y * (up - (up * y).sum(-1, keepdim=True))


@row(Softmax, "x=randn(2,3)", kind="diagonal-alone", says="diagonal")
class SoftmaxDiagonal(Softmax):
    @staticmethod
    def backward(ctx, up):
        (y,) = ctx.saved_tensors
        return up * y * (1 - y)


class SoftmaxOfColumns(Softmax):
    @staticmethod
    def forward(ctx, x):
        y = torch.softmax(x, 0)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx, up):
        (y,) = ctx.saved_tensors
        return y * (up - (up * y).sum(0, keepdim=True))


@row(SoftmaxOfColumns, "x=randn(3,3)", kind="wrong-dim", says="dim 1 where dim 0")
class SoftmaxDim(SoftmaxOfColumns):
    @staticmethod
    def backward(ctx, up):
        (y,) = ctx.saved_tensors
        return y * (up - (up * y).sum(1, keepdim=True))


@row(Softmax, "x=randn(2,3)", kind="sum-or-mean", says="takes the mean where the sum is needed")
class SoftmaxMean(Softmax):
    @staticmethod
    def backward(ctx, up):
        (y,) = ctx.saved_tensors
        return y * (up - (up * y).mean(-1, keepdim=True))


# Something taken for a constant.


class Centred(Function):
    @staticmethod
    def forward(ctx, x):
        mean = x.mean(0)
        scale = (x - mean).square().mean(0).add(1e-5).rsqrt()
        z = (x - mean) * scale
        ctx.save_for_backward(z, scale)
        return z

    @staticmethod
    def backward(ctx, up):
        z, scale = ctx.saved_tensors
        return scale * (up - up.mean(0) - z * (up * z).mean(0))


@row(
    Centred,
    "x=randn(4,2)",
    kind="constant",
    says="`scale = (x - mean).square().mean(0).add(1e-5).rsqrt()`",
)
class CentredScale(Centred):
    @staticmethod
    def backward(ctx, up):
        _, scale = ctx.saved_tensors
        return scale * (up - up.mean(0))


@row(Centred, "x=randn(4,2)", kind="part-sign", says="has the wrong sign")
class CentredSign(Centred):
    @staticmethod
    def backward(ctx, up):
        z, scale = ctx.saved_tensors
        return scale * (up - up.mean(0) + z * (up * z).mean(0))


@row(Centred, "x=randn(4,2)", kind="part-factor", says="4 times")
class CentredSum(Centred):
    @staticmethod
    def backward(ctx, up):
        z, scale = ctx.saved_tensors
        return scale * (up - up.mean(0) - z * (up * z).sum(0))


@row(Centred, "x=randn(4,2)", kind="missing-factor", says="the factor `scale` is missing")
class CentredUnscaled(Centred):
    @staticmethod
    def backward(ctx, up):
        z, _ = ctx.saved_tensors
        return up - up.mean(0) - z * (up * z).mean(0)


def normalised(x):
    """Each row by its largest."""
    top = x.square().sum(-1, keepdim=True)
    return x / top


@row(
    normalised,
    "x=randn(2,3)",
    kind="constant",
    says="`top = x.square().sum(-1, keepdim=True).detach()`",
)
def normalised_detached(x):
    """The sum of squares is left out of the gradient."""
    top = x.square().sum(-1, keepdim=True).detach()
    return x / top


def gated(x, w):
    """A gate times what it gates."""
    gate = torch.sigmoid(x * w)
    return gate * torch.tanh(x)


@row(gated, "x=randn(3)", "w=randn(3)", kind="constant", says="`gate = torch.sigmoid(x * w)`")
def gated_no_grad(x, w):
    """The gate is computed without recording; `w` gets nothing at all."""
    with torch.no_grad():
        gate = torch.sigmoid(x * w)
    return gate * torch.tanh(x)


def squared(x):
    """Its own square."""
    return x * x.clone()


@row(squared, "x=randn(3)", kind="constant", says="`x` is taken for a constant in `x * x`")
def squared_detached(x):
    """One of the two factors is left out."""
    return x * x.detach()


class Attention(nn.Module):
    """A score, softly weighed."""

    def __init__(self):
        super().__init__()
        self.key = nn.Parameter(torch.tensor([[0.5, -1.0], [0.25, 2.0]]))

    def forward(self, x):
        score = x @ self.key
        weight = torch.softmax(score, -1)
        return weight * x


@row(
    Attention, "x=randn(3,2)", kind="constant", says="`weight = torch.softmax(score, -1).detach()`"
)
class AttentionDetached(Attention):
    """The weights are cut off: the parameter learns nothing."""

    def forward(self, x):
        score = x @ self.key
        weight = torch.softmax(score, -1).detach()
        return weight * x


# Branches and operands.


class Leaky(Function):
    @staticmethod
    def forward(ctx, x, slope):
        ctx.save_for_backward(x)
        ctx.slope = slope
        return torch.where(x > 0, x, slope * x)

    @staticmethod
    def backward(ctx, up):
        (x,) = ctx.saved_tensors
        return torch.where(x > 0, up, ctx.slope * up), None


@row(Leaky, "x=randn(6)", "slope=0.25", kind="constant", says="wrong only where `x <= 0`")
class LeakyDead(Leaky):
    @staticmethod
    def backward(ctx, up):
        (x,) = ctx.saved_tensors
        return torch.where(x > 0, up, torch.zeros_like(up)), None


@row(Leaky, "x=randn(6)", "slope=0.25", kind="operand", says="wrong only where `x <= 0`")
class LeakyOther(Leaky):
    @staticmethod
    def backward(ctx, up):
        (x,) = ctx.saved_tensors
        return torch.where(x > 0, up, x * up), None


class Selu(Function):
    @staticmethod
    def forward(ctx, x, alpha):
        y = torch.where(x > 0, x, alpha * (torch.exp(x) - 1))
        ctx.save_for_backward(x, y)
        ctx.alpha = alpha
        return y

    @staticmethod
    def backward(ctx, up):
        x, y = ctx.saved_tensors
        return torch.where(x > 0, up, up * (y + ctx.alpha)), None


@row(Selu, "x=randn(6)", "alpha=1.7", kind="operand", says="uses `1` where `1.7` is needed")
class SeluOne(Selu):
    @staticmethod
    def backward(ctx, up):
        x, y = ctx.saved_tensors
        return torch.where(x > 0, up, up * (y + 1)), None


class Tanh(Function):
    @staticmethod
    def forward(ctx, z):
        y = torch.tanh(z)
        ctx.save_for_backward(z, y)
        return y

    @staticmethod
    def backward(ctx, up):
        _, y = ctx.saved_tensors
        return up * (1 - y**2)


@row(Tanh, "z=randn(4)", kind="operand", says="uses `z` where `y` is needed")
class TanhOfInput(Tanh):
    @staticmethod
    def backward(ctx, up):
        z, _ = ctx.saved_tensors
        return up * (1 - z**2)


class Bilinear(Function):
    @staticmethod
    def forward(ctx, x, m):
        ctx.save_for_backward(x, m)
        return x @ m @ x

    @staticmethod
    def backward(ctx, up):
        x, m = ctx.saved_tensors
        return up * (m @ x + m.t() @ x), up * torch.outer(x, x)


@row(
    Bilinear,
    "x=randn(3)",
    "m=randn(3,3)",
    kind="operand",
    says="uses `m @ x` where `x @ m` is needed",
)
class BilinearTwice(Bilinear):
    @staticmethod
    def backward(ctx, up):
        x, m = ctx.saved_tensors
        return up * (m @ x + m @ x * 1.0), up * torch.outer(x, x)


class Huber(Function):
    @staticmethod
    def forward(ctx, x, delta):
        ctx.save_for_backward(x)
        ctx.delta = delta
        return torch.where(x.abs() < delta, 0.5 * x**2, delta * (x.abs() - 0.5 * delta))

    @staticmethod
    def backward(ctx, up):
        (x,) = ctx.saved_tensors
        return torch.where(x.abs() < ctx.delta, up * x, up * ctx.delta * torch.sign(x)), None


@row(
    Huber,
    "x=[0.5, -2, 3, -0.25]",
    "delta=0.75",
    kind="missing-factor",
    says="the factor `sign(x)` is missing",
)
class HuberUnsigned(Huber):
    @staticmethod
    def backward(ctx, up):
        (x,) = ctx.saved_tensors
        return torch.where(x.abs() < ctx.delta, up * x, up * ctx.delta), None


class Layer(Function):
    @staticmethod
    def forward(ctx, x, w):
        h = x @ w
        ctx.save_for_backward(x, w, h)
        return torch.relu(h).sum(1)

    @staticmethod
    def backward(ctx, up):
        x, w, h = ctx.saved_tensors
        dh = up[:, None] * (h > 0)
        return dh @ w.t(), x.t() @ dh


@row(
    Layer,
    "x=randn(3,2)",
    "w=randn(2,3)",
    kind="missing-factor",
    says="the factor `[h > 0]` is missing",
)
class LayerUnmasked(Layer):
    @staticmethod
    def backward(ctx, up):
        x, w, h = ctx.saved_tensors
        dh = up[:, None].expand_as(h)
        return dh @ w.t(), x.t() @ (dh * (h > 0))


class Gain(Function):
    @staticmethod
    def forward(ctx, x, gain):
        mean = x.mean(-1, keepdim=True)
        scale = (x - mean).square().mean(-1, keepdim=True).add(1e-5).rsqrt()
        z = (x - mean) * scale
        ctx.save_for_backward(z, scale, gain)
        return z * gain

    @staticmethod
    def backward(ctx, up):
        z, scale, gain = ctx.saved_tensors
        dz = up * gain
        middle = dz.mean(-1, keepdim=True) + z * (dz * z).mean(-1, keepdim=True)
        return scale * (dz - middle), (up * z).sum(0)


@row(
    Gain,
    "x=randn(2,3)",
    "gain=randn(3)",
    kind="missing-factor",
    says="has to be multiplied by `gain` before",
)
class GainForgotten(Gain):
    @staticmethod
    def backward(ctx, up):
        z, scale, _ = ctx.saved_tensors
        middle = up.mean(-1, keepdim=True) + z * (up * z).mean(-1, keepdim=True)
        return scale * (up - middle), (up * z).sum(0)


@row(
    Gain, "x=randn(2,3)", "gain=randn(3)", kind="constant", says="`mean = x.mean(-1, keepdim=True)`"
)
class GainNoMean(Gain):
    @staticmethod
    def backward(ctx, up):
        z, scale, gain = ctx.saved_tensors
        dz = up * gain
        return scale * (dz - z * (dz * z).mean(-1, keepdim=True)), (up * z).sum(0)


@row(Gain, "x=randn(2,3)", "gain=randn(3)", kind="operand", says="the gradient of `gain`: uses")
class GainUnscaled(Gain):
    @staticmethod
    def forward(ctx, x, gain):
        mean = x.mean(-1, keepdim=True)
        scale = (x - mean).square().mean(-1, keepdim=True).add(1e-5).rsqrt()
        z = (x - mean) * scale
        ctx.save_for_backward(z, scale, gain, x)
        return z * gain

    @staticmethod
    def backward(ctx, up):
        z, scale, gain, x = ctx.saved_tensors
        dz = up * gain
        middle = dz.mean(-1, keepdim=True) + z * (dz * z).mean(-1, keepdim=True)
        return scale * (dz - middle), (up * x).sum(0)


class Swish(Function):
    @staticmethod
    def forward(ctx, x):
        gate = torch.sigmoid(x)
        ctx.save_for_backward(x, gate)
        return x * gate

    @staticmethod
    def backward(ctx, up):
        x, gate = ctx.saved_tensors
        return up * (gate + x * gate * (1 - gate))


@row(Swish, "x=randn(4)", kind="part-missing-factor", says="the factor `(1 - gate)` is missing")
class SwishOpen(Swish):
    @staticmethod
    def backward(ctx, up):
        x, gate = ctx.saved_tensors
        return up * (gate + x * gate)


@row(
    Swish,
    "x=randn(4)",
    kind="local-derivative",
    says="it is the derivative of `gate = torch.sigmoid(x)`",
)
class SwishGate(Swish):
    @staticmethod
    def backward(ctx, up):
        _, gate = ctx.saved_tensors
        return up * gate * (1 - gate)


@row(Softmax, "x=randn(2,3)", kind="constant", says="the sum in")
class SoftmaxSum(Softmax):
    @staticmethod
    def backward(ctx, up):
        (y,) = ctx.saved_tensors
        return y * up


class Entropy(Function):
    @staticmethod
    def forward(ctx, x, label):
        p = torch.softmax(x, 1)
        ctx.save_for_backward(p, label)
        return -torch.log(p[torch.arange(len(label)), label]).mean()

    @staticmethod
    def backward(ctx, up):
        p, label = ctx.saved_tensors
        one_hot = torch.nn.functional.one_hot(label, p.shape[1])
        return up * (p - one_hot) / len(label), None


@row(
    Entropy,
    "x=randn(3,4)",
    "label=int:[0,2,1]",
    kind="elements-wrong",
    says="wrong only at [0,0], [1,2], [2,1]",
)
class EntropyNoLabel(Entropy):
    @staticmethod
    def backward(ctx, up):
        p, label = ctx.saved_tensors
        return up * p / len(label), None


# What only a variant shows.


@row(
    Cube,
    "x=randn(2,3)",
    kind="contiguous-cotangent",
    says="contiguous upstream",
    variant="strided-cotangent",
)
class CubeContiguous(Cube):
    @staticmethod
    def backward(ctx, up):
        (x,) = ctx.saved_tensors
        flat = torch.as_strided(up, (up.numel(),), (1,))
        return flat.reshape(x.shape) * 3 * x**2


@row(Cube, "x=randn(3)", kind="state", says="between calls", variant="twice")
class CubeState(Cube):
    saved = None

    @staticmethod
    def forward(ctx, x):
        CubeState.saved = x.detach()
        return x**3

    @staticmethod
    def backward(ctx, up):
        return up * 3 * CubeState.saved**2


@row(Cube, "x=randn(3)", kind="samples", says="3 samples only", variant="more-samples")
class CubeThree(Cube):
    @staticmethod
    def backward(ctx, up):
        (x,) = ctx.saved_tensors
        return up * x.numel() * x**2


@row(
    MeanSquare,
    "p=randn(3)",
    "q=randn(3)",
    kind="needs-input-grad",
    says="`q` alone",
    variant="alone-q",
)
class MeanSquareNeeds(MeanSquare):
    @staticmethod
    def backward(ctx, up):
        p, q = ctx.saved_tensors
        dp = up * 2 * (p - q) / p.numel()
        return (dp if ctx.needs_input_grad[0] else None, -dp if ctx.needs_input_grad[0] else None)


class Softplus(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return torch.log1p(torch.exp(x))

    @staticmethod
    def backward(ctx, up):
        (x,) = ctx.saved_tensors
        return up * torch.sigmoid(x)


@row(Softplus, "x=[0.5, 2, -1]", kind="tail", says="tail", variant="large")
class SoftplusTail(Softplus):
    @staticmethod
    def backward(ctx, up):
        (x,) = ctx.saved_tensors
        return torch.where(x > 20, 0.0 * up, up * torch.sigmoid(x))
