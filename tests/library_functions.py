"""Functions and modules of the kind that libraries hold, and what becomes of each on trial."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F  # noqa: N812 - what everybody calls it
from torch import nn

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Case:
    """A function and its arguments.

    Attributes:
        outcome: of the whole.
        proved: whether it is proved for all inputs.
        options: of `check`.
    """

    function: Callable[..., Any]
    at: dict[str, Any]
    outcome: str = "agree"
    proved: bool = True
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What the function is called."""
        return getattr(self.function, "__name__", type(self.function).__name__)


def seeded(make: Callable[[], Any]) -> Any:
    """A module whose parameters are the same each time."""
    state = torch.random.get_rng_state()
    torch.manual_seed(0)
    try:
        return make()
    finally:
        torch.random.set_rng_state(state)


# Norms


def rms_norm(x, w):
    """The root mean square divides."""
    return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6) * w


def rms_norm_upcast(x, w):
    """As language models write it: cast there and back."""
    kept = x.dtype
    x = x.to(torch.float64)
    return w * (x * torch.rsqrt(x.square().mean(-1, keepdim=True) + 1e-5)).to(kept)


def layer_norm_by_hand(x, w, b):
    """Mean and variance by hand."""
    mean = x.mean(-1, keepdim=True)
    var = ((x - mean) ** 2).mean(-1, keepdim=True)
    return (x - mean) / torch.sqrt(var + 1e-5) * w + b


def layer_norm(x, w, b):
    """torch's own."""
    return F.layer_norm(x, x.shape[-1:], w, b)


def group_norm(x, w, b):
    """torch's own."""
    return F.group_norm(x, 2, w, b)


def group_norm_by_hand(x, w, b):
    """Views of groups."""
    n, c = x.shape[:2]
    y = x.reshape(n, 2, -1)
    y = (y - y.mean(-1, keepdim=True)) * (y.var(-1, keepdim=True, unbiased=False) + 1e-5).rsqrt()
    y = y.view_as(x)
    return y * w.view(1, c, 1) + b.view(1, c, 1)


def batch_norm(x, w, b):
    """Of the batch at hand."""
    return F.batch_norm(x, None, None, w, b, training=True)


def instance_norm(x):
    """Each sample and channel alone."""
    return F.instance_norm(x, eps=1e-5)


def weight_norm(x, g, v):
    """A direction and a length."""
    return F.linear(x, g[:, None] * v / v.norm(dim=1, keepdim=True))


class SpectralLinear(nn.Module):
    """A linear layer over its largest singular value, estimated by power iteration."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([[1.0, -0.5, 0.25], [0.5, 2.0, -1.0]]))
        self.register_buffer("u", torch.tensor([0.6, 0.8]))

    def forward(self, x):
        with torch.no_grad():
            u = self.u
            for _ in range(2):
                v = F.normalize(self.weight.t() @ u, dim=0)
                u = F.normalize(self.weight @ v, dim=0)
        sigma = torch.dot(u, self.weight @ v)
        return x @ (self.weight / sigma).t()


# Attention


def causal_attention(q, k, v):
    """The math kernel, with the mask of its own."""
    return F.scaled_dot_product_attention(q, k, v, is_causal=True)


def masked_attention(q, k, v):
    """A mask that is added, minus infinity where nothing is to be seen."""
    mask = torch.full((q.shape[-2], k.shape[-2]), float("-inf")).triu(1).to(q)
    return F.scaled_dot_product_attention(q, k, v, attn_mask=mask)


def boolean_attention(q, k, v):
    """A mask of truth values."""
    mask = torch.ones(q.shape[-2], k.shape[-2], dtype=torch.bool).tril()
    return F.scaled_dot_product_attention(q, k, v, attn_mask=mask)


def attention_by_hand(x, wq, wk, wv):
    """Two heads, masked by filling in."""
    n, d = x.shape
    q, k, v = ((x @ w).view(n, 2, d // 2).transpose(0, 1) for w in (wq, wk, wv))
    scores = q @ k.transpose(-2, -1) / math.sqrt(d // 2)
    mask = torch.triu(torch.ones(n, n, dtype=torch.bool), 1)
    scores = scores.masked_fill(mask, float("-inf"))
    return (scores.softmax(-1) @ v).transpose(0, 1).reshape(n, d)


MULTI_HEAD = seeded(lambda: nn.MultiheadAttention(4, 2, batch_first=True))


def multi_head_attention(x):
    """torch's module, of which the input is differentiated."""
    return MULTI_HEAD.to(x.dtype)(x, x, x, need_weights=False)[0]


ENCODER = seeded(lambda: nn.TransformerEncoderLayer(4, 2, 4, dropout=0.0, batch_first=True))


def linear_attention(q, k, v):
    """Kernel features instead of a softmax."""
    q, k = F.elu(q) + 1, F.elu(k) + 1
    return q @ (k.transpose(0, 1) @ v) / (q @ k.sum(0))[:, None]


def alibi_attention(q, k, v):
    """A penalty that grows with the distance."""
    n = q.shape[-2]
    slopes = torch.tensor([0.5, 0.25], dtype=q.dtype)[:, None, None]
    distance = (torch.arange(n)[None, :] - torch.arange(n)[:, None]).to(q)
    scores = torch.einsum("hid,hjd->hij", q, k) * q.shape[-1] ** -0.5 + slopes * distance
    scores = torch.where(distance > 0, torch.finfo(q.dtype).min, scores)
    return torch.einsum("hij,hjd->hid", F.softmax(scores, dim=-1), v)


def rotary(x):
    """Pairs of features turned by angles of their position."""
    n, d = x.shape
    half = d // 2
    speed = 10000.0 ** (-torch.arange(half, dtype=x.dtype) / half)
    angle = torch.arange(n, dtype=x.dtype)[:, None] * speed
    cos, sin = torch.cat([angle.cos()] * 2, -1), torch.cat([angle.sin()] * 2, -1)
    turned = torch.cat([-x[:, half:], x[:, :half]], -1)
    return x * cos + turned * sin


# Recurrent


def gru_cell(x, h, wi, wh):
    """One step by hand."""
    r, z, n = (x @ wi).chunk(3, -1)
    rh, zh, nh = (h @ wh).chunk(3, -1)
    r, z = torch.sigmoid(r + rh), torch.sigmoid(z + zh)
    n = torch.tanh(n + r * nh)
    return (1 - z) * n + z * h


GRU = seeded(lambda: nn.GRUCell(2, 2))


LSTM = seeded(lambda: nn.LSTM(2, 2))


class LastOfLstm(nn.Module):
    """nn.LSTM, its outputs and last states."""

    def __init__(self):
        super().__init__()
        self.inner = LSTM

    def forward(self, x):
        out, (h, c) = self.inner(x)
        return out, h, c


def lstm_by_hand(x, wi, wh):
    """Two steps over time."""
    h = c = x.new_zeros(x.shape[1], 2)
    outs = []
    for step in x:
        i, f, g, o = (step @ wi + h @ wh).chunk(4, -1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        h = torch.sigmoid(o) * torch.tanh(c)
        outs.append(h)
    return torch.stack(outs)


def rnn_unrolled(x, w, u, b):
    """Outputs written into a tensor, step by step."""
    h = torch.zeros(2, dtype=x.dtype)
    out = torch.empty(x.shape[0], 2, dtype=x.dtype)
    for t in range(x.shape[0]):
        h = torch.tanh(x[t] @ w + h @ u + b)
        out[t] = h
    return out


# Convolutions and pools


def conv1d(x, w, b):
    """With stride and padding."""
    return F.conv1d(x, w, b, stride=2, padding=1)


def conv2d(x, w, b):
    """Dilated."""
    return F.conv2d(x, w, b, dilation=2, padding=1)


def grouped_conv2d(x, w):
    """Depthwise."""
    return F.conv2d(x, w, groups=2)


def conv3d(x, w):
    """Three dimensions."""
    return F.conv3d(x, w)


def transposed_conv1d(x, w, b):
    """With stride, padding and output padding."""
    return F.conv_transpose1d(x, w, b, stride=2, padding=1, output_padding=1)


def transposed_conv2d(x, w):
    """Grouped."""
    return F.conv_transpose2d(x, w, stride=2, groups=2)


def unfolded_conv(x, w):
    """A convolution as a product of patches."""
    patches = F.unfold(x, 2, padding=1)
    out = w.view(w.shape[0], -1) @ patches
    return out.view(x.shape[0], w.shape[0], x.shape[2] + 1, x.shape[3] + 1)


def same_conv(x, w):
    """Padding by name."""
    return F.conv1d(x, w, padding="same")


def max_pool(x):
    """Largest of windows."""
    return F.max_pool2d(x, 2, stride=1)


def max_pool1d(x):
    """In one dimension."""
    return F.max_pool1d(x, 2, padding=1)


def average_pool(x):
    """Padding not counted."""
    return F.avg_pool2d(x, 2, stride=1, padding=1, count_include_pad=False)


def adaptive_pool(x):
    """Both kinds."""
    return F.adaptive_avg_pool2d(x, 2), F.adaptive_max_pool2d(x, (1, 2))


def pixel_shuffle(x, w):
    """Channels become pixels."""
    return F.pixel_shuffle(F.conv2d(x, w), 2)


def bilinear(x):
    """Between pixels."""
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)


def nearest(x):
    """Pixels again."""
    return F.interpolate(x, size=(5,), mode="nearest")


def sampled_grid(x, grid):
    """By places that are differentiated too."""
    return F.grid_sample(x, torch.tanh(grid) * 0.75, align_corners=False)


def affine_grid(theta, x):
    """A spatial transformer."""
    return F.grid_sample(
        x,
        F.affine_grid(theta, (1, 1, 2, 2), align_corners=True),
        align_corners=True,
        padding_mode="border",
    )


# Embeddings and graphs


def padded_embedding(w, i):
    """Row 0 is a constant, by definition."""
    return F.embedding(i, w, padding_idx=0)


def plain_embedding(w, i):
    """Rows looked up twice."""
    return torch.tanh(F.embedding(i, w)).sum(1)


def bag(w, i):
    """Means of rows."""
    return F.embedding_bag(i, w, mode="mean")


def messages(x, w, source, target):
    """Each node adds up what its neighbours send."""
    sent = torch.relu(x @ w)[source]
    return torch.zeros_like(x).index_add(0, target, sent)


def segment_mean(x, segment):
    """Means of rows with the same number."""
    total = torch.zeros(2, x.shape[1], dtype=x.dtype).scatter_add(
        0, segment[:, None].expand_as(x), x
    )
    count = torch.zeros(2, dtype=x.dtype).scatter_add(
        0, segment, torch.ones(len(segment), dtype=x.dtype)
    )
    return total / count[:, None]


def segment_softmax(x, segment):
    """A softmax over edges of the same target."""
    top = torch.full((2,), float("-inf"), dtype=x.dtype).scatter_reduce(
        0, segment, x.detach(), "amax"
    )
    e = torch.exp(x - top[segment])
    return e / torch.zeros(2, dtype=x.dtype).index_add_(0, segment, e)[segment]


def graph_attention(x, w, a, source, target):
    """Attention over edges."""
    h = x @ w
    score = F.leaky_relu((torch.cat([h[source], h[target]], 1) * a).sum(1), 0.2).exp()
    norm = torch.zeros(x.shape[0], dtype=x.dtype).index_add(0, target, score)
    return torch.zeros_like(h).index_add(0, target, (score / norm[target])[:, None] * h[source])


# Losses


def info_nce(a, b):
    """Pairs of a batch against all others."""
    a, b = F.normalize(a, dim=1), F.normalize(b, dim=1)
    return F.cross_entropy(a @ b.t() / 0.1, torch.arange(a.shape[0]))


def nt_xent(z):
    """SimCLR's, the diagonal masked."""
    n = z.shape[0] // 2
    z = F.normalize(z, dim=1)
    sim = z @ z.t() / 0.5
    sim = sim.masked_fill(torch.eye(2 * n, dtype=torch.bool), float("-inf"))
    target = torch.cat([torch.arange(n, 2 * n), torch.arange(n)])
    return F.cross_entropy(sim, target)


def triplet(a, p, n):
    """With a margin."""
    return torch.relu((a - p).norm(dim=1) - (a - n).norm(dim=1) + 0.5).mean()


def torch_triplet(a, p, n):
    """torch's own."""
    return F.triplet_margin_loss(a, p, n, margin=1.0, swap=True)


def focal(z, y):
    """Easy samples count less."""
    p = torch.sigmoid(z)
    ce = F.binary_cross_entropy_with_logits(z, y.to(z), reduction="none")
    pt = p * y + (1 - p) * (1 - y)
    return (0.25 * (1 - pt) ** 2 * ce).sum()


def smoothed_cross_entropy(z, y):
    """Label smoothing."""
    return F.cross_entropy(z, y, label_smoothing=0.1)


def weighted_cross_entropy(z, y):
    """Weights of classes, one sample left out."""
    weight = torch.tensor([1.0, 0.25, 3.0], dtype=z.dtype)
    return F.cross_entropy(z, y, weight=weight, ignore_index=-100)


def kl(p, q):
    """Between distributions from logits."""
    return F.kl_div(
        F.log_softmax(q, 1), F.log_softmax(p, 1), log_target=True, reduction="batchmean"
    )


def distilled(s, t):
    """A teacher held."""
    soft = F.softmax(t / 2, -1).detach()
    return -(soft * F.log_softmax(s / 2, -1)).sum(-1).mean() * 4


def dice(z, y):
    """Overlap of masks."""
    p = z.sigmoid()
    return 1 - (2 * (p * y).sum() + 1) / (p.sum() + y.sum() + 1)


def huber(x, y):
    """Smooth beside 0, straight outside."""
    return F.smooth_l1_loss(x, y, beta=0.5) + F.huber_loss(x, y, delta=0.75)


def evidence_lower_bound(mean, log_var, noise):
    """A variational autoencoder's."""
    z = mean + torch.exp(0.5 * log_var) * noise
    kl = -0.5 * torch.sum(1 + log_var - mean.pow(2) - log_var.exp())
    return F.mse_loss(z, torch.zeros_like(z), reduction="sum") + kl


def cosine_matrix(a, b):
    """Of all pairs."""
    return F.cosine_similarity(a[:, None], b[None], dim=-1)


def pairwise_distances(a, b):
    """As a difference and as torch's own."""
    return (a[:, None] - b[None]).pow(2).sum(-1).sqrt() + torch.cdist(a, b, p=1)


def euclidean(a, b):
    """torch's own."""
    return torch.cdist(a, b)


def sinkhorn(c):
    """Three rounds in logarithms."""
    u = v = torch.zeros(c.shape[0], dtype=c.dtype)
    for _ in range(2):
        u = -torch.logsumexp(-c / 0.5 + v[None, :], 1)
        v = -torch.logsumexp(-c / 0.5 + u[:, None], 0)
    return (torch.exp(-c / 0.5 + u[:, None] + v[None, :]) * c).sum()


def ranking(scores):
    """All pairs in order."""
    d = scores[:, None] - scores[None, :]
    i, j = torch.triu_indices(len(scores), len(scores), 1)
    return F.softplus(-d[i, j]).mean()


# Likelihoods


def gaussian_likelihood(a, y):
    """By Cholesky."""
    k = a @ a.t() + 0.5 * torch.eye(a.shape[0], dtype=a.dtype)
    chol = torch.linalg.cholesky(k)
    alpha = torch.cholesky_solve(y[:, None], chol)[:, 0]
    return 0.5 * y @ alpha + chol.diagonal().log().sum() + len(y) / 2 * math.log(2 * math.pi)


def gaussian_by_solve(a, y):
    """By a solver and the logarithm of the determinant."""
    k = a @ a.t() + 0.5 * torch.eye(a.shape[0], dtype=a.dtype)
    return 0.5 * y @ torch.linalg.solve(k, y) + 0.5 * torch.logdet(k)


def triangular_solve(a, b):
    """Of the lower half."""
    return torch.linalg.solve_triangular(a.tril(), b, upper=False)


def mixture(x, w, mean, log_std):
    """Of Gaussians."""
    z = (x[:, None] - mean) / log_std.exp()
    parts = -0.5 * z**2 - log_std - 0.5 * math.log(2 * math.pi) + F.log_softmax(w, -1)
    return torch.logsumexp(parts, 1).sum()


def crf_forward(emissions, transitions):
    """The normaliser of a chain."""
    alpha = emissions[0]
    for row in emissions[1:]:
        alpha = torch.logsumexp(alpha[:, None] + transitions, 0) + row
    return torch.logsumexp(alpha, 0)


def alignment(logits):
    """All monotone paths through a table, as CTC adds them up."""
    p = F.log_softmax(logits, -1)
    labels = [0, 1, 0, 2, 0]
    alpha = [p[0, 0], p[0, 1], *[torch.full((), float("-inf"), dtype=p.dtype)] * 3]
    for row in p[1:]:
        new = []
        for s, label in enumerate(labels):
            before = [alpha[s], *alpha[max(s - 1, 0) : s]]
            if s > 1 and label and label != labels[s - 2]:
                before.append(alpha[s - 2])
            new.append(torch.logsumexp(torch.stack(before), 0) + row[label])
        alpha = new
    return -torch.logaddexp(alpha[-1], alpha[-2])


def soft_alignment(d):
    """Dynamic time warping with a soft minimum."""
    n, m = d.shape
    r = torch.full((n + 1, m + 1), 1e3, dtype=d.dtype)
    r[0, 0] = 0.0
    for i in range(n):
        for j in range(m):
            around = torch.stack([r[i, j].clone(), r[i, j + 1].clone(), r[i + 1, j].clone()])
            r[i + 1, j + 1] = d[i, j] - torch.logsumexp(-around, 0)
    return r[n, m]


# Numerics


def spline(x, c):
    """A cubic B-spline on even knots."""
    k = torch.floor(x.detach()).long().clamp(0, 1)
    t = x - k
    basis = (
        torch.stack(
            [(1 - t) ** 3, 3 * t**3 - 6 * t**2 + 4, -3 * t**3 + 3 * t**2 + 3 * t + 1, t**3], -1
        )
        / 6
    )
    return (c[k[:, None] + torch.arange(4)] * basis).sum(-1)


def hat_functions(x, c):
    """B-splines by recursion, as KANs have them."""
    grid = torch.linspace(-2, 2, 6, dtype=x.dtype)
    x = x[:, None]
    b = ((x >= grid[:-1]) & (x < grid[1:])).to(x.dtype)
    for k in (1, 2):
        left = (x - grid[: -(k + 1)]) / (grid[k:-1] - grid[: -(k + 1)]) * b[:, :-1]
        b = left + (grid[k + 1 :] - x) / (grid[k + 1 :] - grid[1:-k]) * b[:, 1:]
    return b @ c


def volume(density, colour):
    """Alpha compositing along rays."""
    alpha = 1 - torch.exp(-F.softplus(density) * 0.5)
    ones = torch.ones_like(alpha[:, :1])
    through = torch.cumprod(torch.cat([ones, 1 - alpha + 1e-10], 1), 1)[:, :-1]
    return ((alpha * through)[..., None] * torch.sigmoid(colour)).sum(1)


def newton(a):
    """Square roots in four steps."""
    x = torch.ones_like(a)
    for _ in range(4):
        x = 0.5 * (x + a / x)
    return x


def newton_until_small(a):
    """As many steps as it takes: the number of them is decided by values."""
    x = a / 2 + 0.5
    while (x * x - a).abs().max() > 1e-3:
        x = 0.5 * (x + a / x)
    return x


def runge_kutta(y, w):
    """Two steps of an equation with a net on its right."""

    def right(y):
        return torch.tanh(y @ w)

    for _ in range(2):
        a = right(y)
        b = right(y + 0.05 * a)
        c = right(y + 0.05 * b)
        d = right(y + 0.1 * c)
        y = y + 0.1 / 6 * (a + 2 * b + 2 * c + d)
    return y


def euler(y, rate):
    """Lotka and Volterra's equation."""
    for _ in range(5):
        a, b = y
        y = y + 0.1 * torch.stack([rate[0] * a - rate[1] * a * b, rate[2] * a * b - rate[3] * b])
    return y


def selective_scan(x, a, b, c):
    """A state space model, step by step."""
    h = torch.zeros_like(a[0])
    outs = []
    for t in range(x.shape[0]):
        h = torch.exp(-F.softplus(a[t])) * h + b[t] * x[t, None]
        outs.append((h * c[t]).sum(-1))
    return torch.stack(outs)


# Choices


def experts(x, gate, w):
    """The two largest gates share a token."""
    values, chosen = torch.topk(x @ gate, 2, dim=-1)
    shares = torch.softmax(values, -1)
    every = torch.einsum("nd,edf->nef", x, w)
    picked = torch.gather(every, 1, chosen[..., None].expand(-1, -1, w.shape[-1]))
    return (shares[..., None] * picked).sum(1)


def dropped(x):
    """A mask of the generator's."""
    return F.dropout(x, 0.4, training=True) * 2


def gumbel(z):
    """Soft samples."""
    return F.gumbel_softmax(z, tau=0.7, hard=False)


def gumbel_by_hand(z, u):
    """Noise given."""
    return torch.softmax((z - torch.log(-torch.log(u))) / 0.5, -1)


def masked_write(x, y):
    """In place, through a mask."""
    out = x.clone()
    out[x > 0] = 0.5
    out[:, 0] += y
    out[1].mul_(y.sum())
    return out


def patched(x, v):
    """Elements at places, added and replaced."""
    out = x.index_put((torch.tensor([0, 1, 0]), torch.tensor([1, 0, 1])), v, accumulate=True)
    return out.scatter(1, torch.tensor([[2], [0]]), v[:2, None])


def quantised(x, book):
    """The nearest word of a codebook, straight through."""
    nearest = torch.cdist(x, book).argmin(1)
    q = book[nearest]
    return x + (q - x).detach()


class _Reversed(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x.view_as(x)

    @staticmethod
    def backward(ctx, g):
        return -0.5 * g


def reversed_gradient(x):
    """Domain adversarial training's layer."""
    return _Reversed.apply(x)


def straight_through(x):
    """Rounded, and the gradient of what was not."""
    return x + (torch.round(x) - x).detach()


_IMAGE, _SMALL = "randn(1,2,3,3)", "randn(2,3)"
_EDGES = {"source": "int:[0,1,2,2]", "target": "int:[1,1,0,2]"}

# fmt: off
CASES = [
    Case(rms_norm, {"x": "randn(2,3)", "w": "randn(3)"}),
    Case(rms_norm_upcast, {"x": "randn(2,3)", "w": "randn(3)"}),
    Case(layer_norm_by_hand, {"x": "randn(2,3)", "w": "randn(3)", "b": "randn(3)"}),
    Case(layer_norm, {"x": "randn(2,3)", "w": "randn(3)", "b": "randn(3)"}),
    Case(group_norm, {"x": "randn(2,4,2)", "w": "randn(4)", "b": "randn(4)"}),
    Case(group_norm_by_hand, {"x": "randn(1,4,2)", "w": "randn(4)", "b": "randn(4)"}),
    Case(batch_norm, {"x": "randn(4,2)", "w": "randn(2)", "b": "randn(2)"}),
    Case(instance_norm, {"x": "randn(1,2,3)"}),
    Case(weight_norm, {"x": "randn(2,3)", "g": "rand(2)", "v": "randn(2,3)"}),
    Case(SpectralLinear(), {"x": "randn(2,3)"}, "wrong", proved=False),
    Case(causal_attention, {"q": "randn(1,3,2)", "k": "randn(1,3,2)", "v": "randn(1,3,2)"}),
    Case(masked_attention, {"q": "randn(1,3,2)", "k": "randn(1,3,2)", "v": "randn(1,3,2)"}),
    Case(boolean_attention, {"q": "randn(1,3,2)", "k": "randn(1,3,2)", "v": "randn(1,3,2)"}),
    Case(attention_by_hand, {"x": "randn(3,4)", "wq": "randn(4,4)", "wk": "randn(4,4)", "wv": "randn(4,4)"}),
    Case(multi_head_attention, {"x": "randn(1,2,4)"}),
    Case(ENCODER, {"src": "randn(1,2,4)"}, proved=False),
    Case(linear_attention, {"q": "randn(3,2)", "k": "randn(3,2)", "v": "randn(3,2)"}),
    Case(alibi_attention, {"q": "randn(2,3,2)", "k": "randn(2,3,2)", "v": "randn(2,3,2)"}),
    Case(rotary, {"x": "randn(3,4)"}),
    Case(gru_cell, {"x": "randn(2,2)", "h": "randn(2,2)", "wi": "randn(2,6)", "wh": "randn(2,6)"}),
    Case(GRU, {"input": "randn(1,2)", "hx": "randn(1,2)"}),
    Case(LastOfLstm(), {"x": "randn(2,1,2)"}),
    Case(lstm_by_hand, {"x": "randn(2,1,2)", "wi": "randn(2,8)", "wh": "randn(2,8)"}),
    Case(rnn_unrolled, {"x": "randn(3,2)", "w": "randn(2,2)", "u": "randn(2,2)", "b": "randn(2)"}),
    Case(conv1d, {"x": "randn(1,2,5)", "w": "randn(2,2,3)", "b": "randn(2)"}),
    Case(conv2d, {"x": "randn(1,1,4,4)", "w": "randn(2,1,2,2)", "b": "randn(2)"}),
    Case(grouped_conv2d, {"x": _IMAGE, "w": "randn(2,1,2,2)"}),
    Case(conv3d, {"x": "randn(1,1,2,3,2)", "w": "randn(1,1,2,2,1)"}),
    Case(transposed_conv1d, {"x": "randn(1,2,3)", "w": "randn(2,1,3)", "b": "randn(1)"}),
    Case(transposed_conv2d, {"x": "randn(1,2,2,2)", "w": "randn(2,1,2,2)"}),
    Case(unfolded_conv, {"x": "randn(1,1,3,3)", "w": "randn(2,1,2,2)"}),
    Case(same_conv, {"x": "randn(1,1,4)", "w": "randn(1,1,3)"}),
    Case(max_pool, {"x": _IMAGE}),
    Case(max_pool1d, {"x": "randn(1,2,4)"}),
    Case(average_pool, {"x": _IMAGE}),
    Case(adaptive_pool, {"x": _IMAGE}),
    Case(pixel_shuffle, {"x": "randn(1,1,2,2)", "w": "randn(4,1,1,1)"}),
    Case(bilinear, {"x": "randn(1,1,2,2)"}),
    Case(nearest, {"x": "randn(1,1,3)"}),
    Case(sampled_grid, {"x": "randn(1,1,3,3)", "grid": "randn(1,2,2,2)"}),
    Case(affine_grid, {"theta": "randn(1,2,3)", "x": "randn(1,1,2,2)"}),
    Case(padded_embedding, {"w": "randn(3,2)", "i": "int:[0,2,1,2]"}),
    Case(plain_embedding, {"w": "randn(3,2)", "i": "int:[[0,2],[1,2]]"}),
    Case(bag, {"w": "randn(3,2)", "i": "int:[[0,2],[1,2]]"}),
    Case(messages, {"x": "randn(3,2)", "w": "randn(2,2)", **_EDGES}),
    Case(segment_mean, {"x": "randn(4,2)", "segment": "int:[0,1,1,0]"}),
    Case(segment_softmax, {"x": "randn(4)", "segment": "int:[0,1,1,0]"}),
    Case(graph_attention, {"x": "randn(3,2)", "w": "randn(2,2)", "a": "randn(4)", **_EDGES}),
    Case(info_nce, {"a": "randn(2,3)", "b": "randn(2,3)"}),
    Case(nt_xent, {"z": "randn(4,2)"}),
    Case(triplet, {"a": _SMALL, "p": _SMALL, "n": _SMALL}),
    Case(torch_triplet, {"a": _SMALL, "p": _SMALL, "n": _SMALL}),
    Case(focal, {"z": "randn(4)", "y": "int:[0,1,1,0]"}),
    Case(smoothed_cross_entropy, {"z": "randn(2,3)", "y": "int:[0,2]"}),
    Case(weighted_cross_entropy, {"z": "randn(3,3)", "y": "int:[0,-100,2]"}),
    Case(kl, {"p": _SMALL, "q": _SMALL}),
    Case(distilled, {"s": _SMALL, "t": _SMALL}, options={"wrt": ("s",)}),
    Case(dice, {"z": "randn(4)", "y": "int:[0,1,1,0]"}),
    Case(huber, {"x": "randn(4)", "y": "randn(4)"}),
    Case(evidence_lower_bound, {"mean": "randn(3)", "log_var": "randn(3)", "noise": "randn(3)"}),
    Case(cosine_matrix, {"a": _SMALL, "b": "randn(2,3)"}),
    Case(pairwise_distances, {"a": _SMALL, "b": "randn(2,3)"}),
    Case(euclidean, {"a": _SMALL, "b": "randn(2,3)"}),
    Case(sinkhorn, {"c": "rand(2,2)"}),
    Case(ranking, {"scores": "randn(3)"}),
    Case(gaussian_likelihood, {"a": "randn(3,2)", "y": "randn(3)"}),
    Case(gaussian_by_solve, {"a": "randn(3,2)", "y": "randn(3)"}),
    Case(triangular_solve, {"a": "randn(3,3)", "b": "randn(3,2)"}),
    Case(mixture, {"x": "randn(2)", "w": "randn(2)", "mean": "randn(2)", "log_std": "randn(2)"}),
    Case(crf_forward, {"emissions": "randn(3,2)", "transitions": "randn(2,2)"}),
    Case(alignment, {"logits": "randn(3,3)"}),
    Case(soft_alignment, {"d": "randn(2,2)"}),
    Case(spline, {"x": [0.25, 1.5], "c": "randn(6)"}),
    Case(hat_functions, {"x": [0.25, -0.75], "c": "randn(3)"}),
    Case(volume, {"density": "randn(1,3)", "colour": "randn(1,3,2)"}),
    Case(newton, {"a": "rand(2)"}),
    Case(newton_until_small, {"a": [1.5, 2.5]}),
    Case(runge_kutta, {"y": "randn(1,2)", "w": "randn(2,2)"}),
    Case(euler, {"y": "rand(2)", "rate": "rand(4)"}),
    Case(selective_scan, {"x": "randn(3,1)", "a": "randn(3,1,2)", "b": "randn(3,1,2)", "c": "randn(3,1,2)"}),
    Case(experts, {"x": "randn(2,2)", "gate": "randn(2,3)", "w": "randn(3,2,2)"}),
    Case(dropped, {"x": "randn(5)"}),
    Case(gumbel, {"z": "randn(3)"}),
    Case(gumbel_by_hand, {"z": "randn(3)", "u": "rand(3)"}),
    Case(masked_write, {"x": "randn(2,2)", "y": "randn(2)"}),
    Case(patched, {"x": "randn(2,3)", "v": "randn(3)"}),
    Case(quantised, {"x": "randn(3,2)", "book": "randn(4,2)"}, "wrong", proved=False),
    Case(quantised, {"x": "randn(3,2)", "book": "randn(4,2)"}, "agree", options={"backward_spec": "x", "wrt": ("x",)}),
    Case(reversed_gradient, {"x": "randn(3)"}, "wrong", proved=False),
    Case(reversed_gradient, {"x": "randn(3)"}, "agree", options={"backward_spec": "-x/2"}),
    Case(straight_through, {"x": "randn(3)"}, "wrong", proved=False),
    Case(straight_through, {"x": "randn(3)"}, "agree", options={"backward_spec": "x"}),
]
# fmt: on
