"""Forwards with backwards beside them, as courses have them written; and what students get wrong.

A right backward is called as its forward, with `_backward`; those that are broken have a letter
more, and say in their first line what is wrong.
"""

import math

import numpy as np


def affine_forward(x, w, b):
    out = x.reshape(x.shape[0], -1).dot(w) + b
    cache = (x, w, b)
    return out, cache


def affine_backward(dout, cache):
    x, w, b = cache
    dx = dout.dot(w.T).reshape(x.shape)
    dw = x.reshape(x.shape[0], -1).T.dot(dout)
    db = np.sum(dout, axis=0)
    return dx, dw, db


def affine_backward_a(dout, cache):
    """The mean over the batch where the sum is meant."""
    dx, dw, _ = affine_backward(dout, cache)
    return dx, dw, np.mean(dout, axis=0)


def affine_backward_b(dout, cache):
    """A gradient of another shape: no sum over the batch."""
    dx, dw, _ = affine_backward(dout, cache)
    return dx, dw, dout


def affine_backward_c(dout, cache):
    """A missing transpose, of a square matrix."""
    x, w, b = cache
    return dout.dot(w).reshape(x.shape), x.reshape(len(x), -1).T.dot(dout), dout.sum(axis=0)


def relu_forward(x):
    return np.maximum(0, x), x


def relu_backward(dout, cache):
    dx, x = dout.copy(), cache
    dx[x <= 0] = 0
    return dx


def relu_backward_a(dout, cache):
    """The mask of the wrong variable."""
    dx = dout.copy()
    dx[dout <= 0] = 0
    return dx


def relu_backward_b(dout, cache):
    """The cotangent is ignored."""
    return np.where(cache > 0, 1.0, 0.0)


def leaky_forward(x, alpha):
    out = x.copy()
    out[x < 0] *= alpha
    return out, (x, alpha)


def leaky_backward(dout, cache):
    x, alpha = cache
    dx = np.array(dout, copy=True)
    dx[x < 0] = alpha * dx[x < 0]
    return dx


def leaky_backward_a(dout, cache):
    """The slope is squared."""
    x, alpha = cache
    return np.where(x < 0, alpha * alpha * dout, dout)


def softmax_loss(x, y):
    shifted = x - np.max(x, axis=1, keepdims=True)
    probs = np.exp(shifted) / np.sum(np.exp(shifted), axis=1, keepdims=True)
    n = x.shape[0]
    loss = -np.sum(np.log(probs[np.arange(n), y])) / n
    dx = probs.copy()
    dx[np.arange(n), y] -= 1
    dx /= n
    return loss, dx


def softmax_loss_a(x, y):
    """The gradient is not divided by the batch."""
    loss, dx = softmax_loss(x, y)
    return loss, dx * x.shape[0]


def svm_loss(x, y):
    n = x.shape[0]
    correct = x[np.arange(n), y]
    margins = np.maximum(0, x - correct[:, np.newaxis] + 1.0)
    margins[np.arange(n), y] = 0
    loss = np.sum(margins) / n
    num_pos = np.sum(margins > 0, axis=1)
    dx = np.zeros_like(x)
    dx[margins > 0] = 1
    dx[np.arange(n), y] -= num_pos
    dx /= n
    return loss, dx


def svm_loss_a(x, y):
    """The row of the right class counts one margin alone."""
    loss, _ = svm_loss(x, y)
    n = x.shape[0]
    margins = np.maximum(0, x - x[np.arange(n), y][:, None] + 1.0)
    dx = (margins > 0).astype(float)
    dx[np.arange(n), y] = -1
    return loss, dx / n


def regularised_loss(W, X, y, reg):
    """Logistic regression by loops, as the first assignment has it."""
    loss, dW = 0.0, np.zeros(W.shape)
    for i in range(X.shape[0]):
        score = X[i].dot(W)
        loss += np.log(1 + np.exp(-y[i] * score))
        dW += -y[i] * X[i] / (1 + np.exp(y[i] * score))
    loss = loss / X.shape[0] + reg * np.sum(W * W)
    dW = dW / X.shape[0] + 2 * reg * W
    return loss, dW


def regularised_loss_a(W, X, y, reg):
    """The factor 2 of the regularisation is missing."""
    loss, dW = regularised_loss(W, X, y, reg)
    return loss, dW - reg * W


def batchnorm_forward(x, gamma, beta, bn_param):
    eps = bn_param.get("eps", 1e-5)
    mu = x.mean(axis=0)
    var = np.mean((x - mu) ** 2, axis=0)
    std = np.sqrt(var + eps)
    xhat = (x - mu) / std
    out = gamma * xhat + beta
    bn_param["running_mean"] = 0.9 * bn_param.get("running_mean", 0) + 0.1 * mu
    return out, {"xhat": xhat, "std": std, "gamma": gamma, "x": x}


def batchnorm_backward(dout, cache):
    xhat, std, gamma = cache["xhat"], cache["std"], cache["gamma"]
    N = dout.shape[0]
    dbeta = dout.sum(axis=0)
    dgamma = np.sum(dout * xhat, axis=0)
    dxhat = dout * gamma
    dx = (1.0 / N) / std * (N * dxhat - dxhat.sum(axis=0) - xhat * (dxhat * xhat).sum(axis=0))
    return dx, dgamma, dbeta


def batchnorm_backward_a(dout, cache):
    """The part through the variance is missing."""
    _, dgamma, dbeta = batchnorm_backward(dout, cache)
    dxhat = dout * cache["gamma"]
    return (dxhat - dxhat.mean(axis=0)) / cache["std"], dgamma, dbeta


def batchnorm_backward_b(dout, cache):
    """The wrong variable of the cache."""
    dx, _, dbeta = batchnorm_backward(dout, cache)
    return dx, np.sum(dout * cache["x"], axis=0), dbeta


def layernorm(x, gamma, beta):
    mean = np.mean(x, axis=-1, keepdims=True)
    return gamma * (x - mean) / np.sqrt(np.var(x, axis=-1, keepdims=True) + 1e-5) + beta


def layernorm_backward(dout, x, gamma, beta):
    mean, var = x.mean(-1, keepdims=True), x.var(-1, keepdims=True)
    inv = 1 / np.sqrt(var + 1e-5)
    xhat = (x - mean) * inv
    dxhat = dout * gamma
    m1, m2 = dxhat.mean(-1, keepdims=True), (dxhat * xhat).mean(-1, keepdims=True)
    return {
        "dx": inv * (dxhat - m1 - xhat * m2),
        "dbeta": dout.sum(0),
        "dgamma": np.einsum("nd,nd->d", dout, xhat),
    }


def layernorm_backward_a(dout, x, gamma, beta):
    """The mean over the wrong axis."""
    found = layernorm_backward(dout, x, gamma, beta)
    inv = 1 / np.sqrt(x.var(-1, keepdims=True) + 1e-5)
    xhat, dxhat = (x - x.mean(-1, keepdims=True)) * inv, dout * gamma
    m2 = (dxhat * xhat).mean(-1, keepdims=True)
    return {**found, "dx": inv * (dxhat - dxhat.mean(0, keepdims=True) - xhat * m2)}


def layernorm_backward_b(dout, x, gamma, beta):
    """No mean terms at all."""
    found = layernorm_backward(dout, x, gamma, beta)
    return {**found, "dx": dout * gamma / np.sqrt(x.var(-1, keepdims=True) + 1e-5)}


def conv_forward(x, w, b, conv_param):
    stride, pad = conv_param["stride"], conv_param["pad"]
    N, C, H, W = x.shape
    F, _, HH, WW = w.shape
    x_pad = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)), mode="constant")
    H_out, W_out = 1 + (H + 2 * pad - HH) // stride, 1 + (W + 2 * pad - WW) // stride
    out = np.zeros((N, F, H_out, W_out))
    for n in range(N):
        for f in range(F):
            for i in range(H_out):
                for j in range(W_out):
                    window = x_pad[n, :, i * stride : i * stride + HH, j * stride : j * stride + WW]
                    out[n, f, i, j] = np.sum(window * w[f]) + b[f]
    return out, (x, w, b, conv_param)


def conv_backward(dout, cache):
    x, w, b, conv_param = cache
    stride, pad = conv_param["stride"], conv_param["pad"]
    F, _, HH, WW = w.shape
    x_pad = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)), mode="constant")
    dx_pad, dw, db = np.zeros_like(x_pad), np.zeros_like(w), np.zeros_like(b)
    N, _, H_out, W_out = dout.shape
    for n in range(N):
        for f in range(F):
            db[f] += np.sum(dout[n, f])
            for i in range(H_out):
                for j in range(W_out):
                    rows = slice(i * stride, i * stride + HH)
                    cols = slice(j * stride, j * stride + WW)
                    dw[f] += x_pad[n, :, rows, cols] * dout[n, f, i, j]
                    dx_pad[n, :, rows, cols] += w[f] * dout[n, f, i, j]
    return dx_pad[:, :, pad:-pad, pad:-pad], dw, db


def conv_backward_a(dout, cache):
    """Windows that overlap overwrite each other."""
    x, w, b, conv_param = cache
    _, dw, db = conv_backward(dout, cache)
    s, pad = conv_param["stride"], conv_param["pad"]
    dx_pad = np.zeros_like(np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad))))
    for n, f, i, j in np.ndindex(*dout.shape):
        rows, cols = slice(i * s, i * s + w.shape[2]), slice(j * s, j * s + w.shape[3])
        dx_pad[n, :, rows, cols] = w[f] * dout[n, f, i, j]
    return dx_pad[:, :, pad:-pad, pad:-pad], dw, db


def pool_forward(x, pool_param):
    h, s = pool_param["size"], pool_param["stride"]
    N, C, H, W = x.shape
    out = np.empty((N, C, (H - h) // s + 1, (W - h) // s + 1))
    for i in range(out.shape[2]):
        for j in range(out.shape[3]):
            out[:, :, i, j] = np.max(x[:, :, i * s : i * s + h, j * s : j * s + h], axis=(2, 3))
    return out, (x, pool_param)


def pool_backward(dout, cache):
    x, pool_param = cache
    h, s = pool_param["size"], pool_param["stride"]
    dx = np.zeros_like(x)
    for n, c, i, j in np.ndindex(*dout.shape):
        window = x[n, c, i * s : i * s + h, j * s : j * s + h]
        k, m = np.unravel_index(np.argmax(window), window.shape)
        dx[n, c, i * s + k, j * s + m] += dout[n, c, i, j]
    return dx


def pool_backward_a(dout, cache):
    """The smallest of each window."""
    x, pool_param = cache
    h, s = pool_param["size"], pool_param["stride"]
    dx = np.zeros(x.shape)
    for n, c, i, j in np.ndindex(*dout.shape):
        window = x[n, c, i * s : i * s + h, j * s : j * s + h]
        dx[n, c, i * s : i * s + h, j * s : j * s + h] += (window == window.min()) * dout[
            n, c, i, j
        ]
    return dx


def rnn_step_forward(x, prev_h, Wx, Wh, b):
    next_h = np.tanh(x.dot(Wx) + prev_h.dot(Wh) + b)
    return next_h, (x, prev_h, Wx, Wh, next_h)


def rnn_step_backward(dnext_h, cache):
    x, prev_h, Wx, Wh, next_h = cache
    da = dnext_h * (1 - next_h**2)
    return da.dot(Wx.T), da.dot(Wh.T), x.T.dot(da), prev_h.T.dot(da), da.sum(axis=0)


def rnn_step_backward_a(dnext_h, cache):
    """The derivative of tanh at its argument, not its value."""
    x, prev_h, Wx, Wh, _ = cache
    da = dnext_h * (1 - (x.dot(Wx) + prev_h.dot(Wh)) ** 2)
    return da.dot(Wx.T), da.dot(Wh.T), x.T.dot(da), prev_h.T.dot(da), da.sum(axis=0)


def lstm_step_forward(x, prev_h, prev_c, Wx, Wh, b):
    a = x @ Wx + prev_h @ Wh + b
    ai, af, ao, ag = np.split(a, 4, axis=1)
    i, f, o = (1 / (1 + np.exp(-v)) for v in (ai, af, ao))
    g = np.tanh(ag)
    next_c = f * prev_c + i * g
    next_h = o * np.tanh(next_c)
    return next_h, next_c, (x, prev_h, prev_c, Wx, Wh, i, f, o, g, next_c)


def lstm_step_backward(dnext_h, dnext_c, cache):
    x, prev_h, prev_c, Wx, Wh, i, f, o, g, next_c = cache
    t = np.tanh(next_c)
    dc = dnext_c + dnext_h * o * (1 - t * t)
    di, df, do, dg = dc * g, dc * prev_c, dnext_h * t, dc * i
    da = np.hstack([di * i * (1 - i), df * f * (1 - f), do * o * (1 - o), dg * (1 - g * g)])
    return da @ Wx.T, da @ Wh.T, dc * f, x.T @ da, prev_h.T @ da, np.sum(da, axis=0)


def lstm_step_backward_a(dnext_h, dnext_c, cache):
    """The cell's own cotangent is forgotten."""
    return lstm_step_backward(dnext_h, np.zeros_like(dnext_c), cache)


def dropout_forward(x, p):
    mask = (np.random.rand(*x.shape) < p) / p
    return x * mask, mask


def dropout_backward(dout, cache):
    return dout * cache


def dropout_backward_a(dout, cache):
    """Another mask is drawn."""
    return dout * (np.random.rand(*dout.shape) < 0.5) / 0.5


def attention(q, k, v):
    scores = q @ k.T / math.sqrt(q.shape[1])
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    return (e / e.sum(axis=1, keepdims=True)) @ v


def attention_backward(q, k, v, upstream):
    scale = 1 / math.sqrt(q.shape[1])
    scores = q @ k.T * scale
    e = np.exp(scores)
    a = e / e.sum(axis=1, keepdims=True)
    da = upstream @ v.T
    ds = a * (da - (da * a).sum(axis=1, keepdims=True)) * scale
    return ds @ k, ds.T @ q, a.T @ upstream


def attention_backward_a(q, k, v, upstream):
    """The scale is missing from one of three."""
    dq, dk, dv = attention_backward(q, k, v, upstream)
    return dq, dk * math.sqrt(q.shape[1]), dv


class TwoLayerNet:
    """A net whose loss answers a dictionary of gradients."""

    def loss(self, X, y, W1, b1, W2, b2, reg=0.05):
        hidden = np.maximum(0, X @ W1 + b1)
        scores = hidden @ W2 + b2
        shifted = scores - np.max(scores, axis=1, keepdims=True)
        logs = shifted - np.log(np.sum(np.exp(shifted), axis=1, keepdims=True))
        N = X.shape[0]
        loss = -np.mean(logs[range(N), y]) + reg * (np.sum(W1 * W1) + np.sum(W2 * W2))
        dscores = np.exp(logs)
        dscores[range(N), y] -= 1
        dscores /= N
        dhidden = dscores.dot(W2.T)
        dhidden[hidden <= 0] = 0
        grads = {"W2": hidden.T @ dscores + 2 * reg * W2, "b2": np.sum(dscores, axis=0)}
        grads["W1"], grads["b1"] = X.T @ dhidden + 2 * reg * W1, np.sum(dhidden, axis=0)
        return loss, grads

    def loss_a(self, X, y, W1, b1, W2, b2, reg=0.05):
        """A layer's regularisation is forgotten."""
        loss, grads = self.loss(X, y, W1, b1, W2, b2, reg)
        grads["W1"] -= 2 * reg * W1
        return loss, grads


def normalise(x):
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def normalise_backward(x, dy):
    n = np.linalg.norm(x, axis=1, keepdims=True)
    y = x / n
    return (dy - y * np.sum(y * dy, axis=1, keepdims=True)) / n


def normalise_backward_a(x, dy):
    """The norm is taken for a constant."""
    return dy / np.linalg.norm(x, axis=1, keepdims=True)


def mse(pred, target):
    return np.mean((pred - target) ** 2)


def mse_backward(grad_output, pred, target):
    grad = 2 * (pred - target) / pred.size * grad_output
    return grad, -grad


def mse_backward_a(grad_output, pred, target):
    """Divided by the rows, not by the elements."""
    grad = 2 * (pred - target) / len(pred) * grad_output
    return grad, -grad


def bce(z, y):
    return mean_loss(z, y)


def mean_loss(z, y):
    """Helpers are followed as well."""
    p = 1.0 / (1.0 + np.exp(-z))
    return -np.mean(y * np.log(p) + (1 - y) * np.log1p(-p))


def bce_backward(g, z, y):
    return g * (1.0 / (1.0 + np.exp(-z)) - y) / z.size


def bce_backward_a(g, z, y):
    """Of the wrong sign."""
    return g * (y - 1.0 / (1.0 + np.exp(-z))) / z.size


def embedding_forward(x, W):
    return W[x], (x, W)


def embedding_backward(dout, cache):
    x, W = cache
    dW = np.zeros_like(W)
    np.add.at(dW, x, dout)
    return dW


def embedding_backward_a(dout, cache):
    """What comes twice is counted once."""
    x, W = cache
    dW = np.zeros_like(W)
    dW[x] += dout
    return dW


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def sigmoid_backward(dout, out):
    return dout * out * (1 - out)


def sigmoid_backward_a(dout, out):
    """Of the value once more."""
    return dout * sigmoid(out) * (1 - sigmoid(out))


_last = {}


def global_forward(x, w):
    _last["x"] = x
    return x * np.sin(w)


def global_backward(dout, x, w):
    return dout * np.sin(w), dout * x * np.cos(w)


def global_backward_a(dout, x, w):
    """In the wrong order."""
    return dout * x * np.cos(w), dout * np.sin(w)


def inverse_forward(a, b):
    inv = np.linalg.inv(a)
    return inv @ b, (inv, b)


def inverse_backward(dout, cache):
    inv, b = cache
    db = inv.T @ dout
    return -np.outer(db, inv @ b), db


def inverse_backward_a(dout, cache):
    """A missing transpose."""
    inv, b = cache
    db = inv @ dout
    return -np.outer(db, inv @ b), db
