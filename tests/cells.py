"""Cells of notebooks, each with what it asks: programs, inputs that are differentiated, dtype."""

from __future__ import annotations

from typing import NamedTuple


class Expected(NamedTuple):
    """One derivative of a cell; the cotangent as it is written, None for ones."""

    program: str
    wrt: tuple[str, ...]
    dtype: str = "float32"
    cotangent: object = None


X, XW = ("x",), ("x", "w")

# The cells whose numbers are written out. A test runs them by torch.
READ = {
    # the shortest ones
    "import torch\nx = torch.tensor(3.0, requires_grad=True)\ny = x**2\ny.backward()\nprint(x.grad)": [Expected("y = x**2", X)],
    "import torch as th\nx = th.tensor([1., -2.], dtype=th.float64, requires_grad=True)\n(th.sigmoid(x)*x).sum().backward()":
        [Expected("(torch.sigmoid(x)*x).sum()", X, "float64")],
    "from torch import tensor, sigmoid as s\nx = tensor(0.5, requires_grad=True)\ny = s(x)\ny.backward()": [Expected("y = torch.sigmoid(x)", X)],
    # cotangents
    "import torch\nx = torch.tensor([0.5, -1.0, 2.0], requires_grad=True)\ny = torch.tanh(x)\ny.backward(torch.tensor([1.0, 0.5, -2.0]))":
        [Expected("y = torch.tanh(x)", X, cotangent=["1.0", "0.5", "-2.0"])],
    "import torch\nx = torch.tensor([0.5, -1.0], requires_grad=True)\ny = x.exp()\nv = torch.tensor([2.0, 3.0])\ny.backward(gradient=v)":
        [Expected("y = x.exp()", X, cotangent=["2.0", "3.0"])],
    "import torch\nx = torch.ones(2, 3, requires_grad=True)\ny = 3*x**2\ny.backward(torch.ones_like(y))": [Expected("y = 3*x**2", X)],
    # inputs
    "import torch\nx = torch.tensor(2.0)\nx.requires_grad = True\ny = x**3\ny.backward()": [Expected("y = x**3", X)],
    "import torch\nx = torch.arange(6.).reshape(2, 3).requires_grad_()\ny = x.sum(dim=1)\ny.backward(torch.tensor([1.0, 2.0]))":
        [Expected("y = x.sum(dim=1)", X, cotangent=["1.0", "2.0"])],
    "import torch\nfrom torch.autograd import Variable\nx = Variable(torch.Tensor([2.0]), requires_grad=True)\ny = x*x\ny.backward()": [Expected("y = x*x", X)],
    "import torch\nimport torch.nn as nn\nw = nn.Parameter(torch.full((2,), 0.5))\nx = torch.linspace(0, 1, 2)\nloss = (w @ x).exp()\nloss.backward()":
        [Expected("loss = (w @ x).exp()", ("w",))],
    "import numpy as np\nimport torch\na = np.array([1.0, 2.0])\nx = torch.from_numpy(a).requires_grad_()\ny = x.prod()\ny.backward()":
        [Expected("y = x.prod()", X, "float64")],
    "import torch\ntorch.set_default_dtype(torch.float64)\nx = torch.tensor(1.5, requires_grad=True)\ny = x.log()\ny.backward()\ntorch.set_default_dtype(torch.float32)":
        [Expected("y = x.log()", X, "float64")],
    "import math\nimport torch\nx = torch.tensor(math.pi/4, requires_grad=True)\ny = torch.sin(x)*math.sqrt(2)\ny.backward()": [Expected("y = torch.sin(x)*math.sqrt(2)", X)],
    "import torch\ndata = [[1.0, 2.0], [3.0, 4.0]]\nx = torch.tensor(data, requires_grad=True)\ny = torch.det(x)\ny.backward()": [Expected("y = torch.det(x)", X)],
    # numbers of Python's, constants, several names
    "import torch\nalpha = 0.3\nx, w = torch.tensor(1.0, requires_grad=True), torch.tensor(2.0, requires_grad=True)\ny = alpha*x*w + 1\ny.backward()":
        [Expected("y = 0.3*x*w + 1", XW)],
    "import torch\nx = torch.tensor([1.0, 2.0], requires_grad=True)\nt = torch.tensor([0.5, 0.5])\nloss = ((x - t)**2).mean()\nloss.backward()":
        [Expected("loss = ((x - t)**2).mean()", X)],
    "import torch\nx = torch.tensor([[1., 2.], [3., 4.]], requires_grad=True)\na, b = x[0], x[1]\ny = torch.dot(a, b)\ny.backward(); x.grad.norm()":
        [Expected("a = x[0]\nb = x[1]\ny = torch.dot(a, b)", X)],
    "import torch\nx = torch.tensor(1.5, requires_grad=True)\ny: torch.Tensor = x**2\ny += x\ny *= 3\ny.backward()":
        [Expected("y = x**2\ny_2 = y + x\ny_3 = y_2*3", X)],
    "import torch\na = torch.tensor(1., requires_grad=True); b = torch.tensor(2., requires_grad=True)\ne = a*b\npi = e + a\npi.backward()":
        [Expected("e_ = a*b\npi_ = e_ + a", ("a", "b"))],
    "import torch\nx = torch.tensor([1., 2., 3.], requires_grad=True)\ny = x[-1]*x[:2].sum() + x.shape[0]\ny.backward()":
        [Expected("y = x[-1]*x[:2].sum() + size(x, dim=0)", X)],
    "import torch\nx = torch.tensor([1., 2.], requires_grad=True)\ny = x.clone()\ny.mul_(3)\ny.sum().backward()":
        [Expected("y = x\ny_2 = y.mul(3)\ny_2.sum()", X)],
    # modules and losses
    "import torch\nimport torch.nn as nn\nx = torch.tensor([1.0, -2.0], requires_grad=True)\nm = nn.LeakyReLU(0.2)\nnn.MSELoss(reduction='sum')(m(x), torch.tensor([0., 1.])).backward()":
        [Expected("F.mse_loss(F.leaky_relu(x, negative_slope=0.2), [0., 1.], reduction='sum')", X)],
    "import torch\nfrom torch import nn\nlogits = torch.tensor([[1., 2., 3.]], requires_grad=True)\ntarget = torch.tensor([2])\ncriterion = nn.CrossEntropyLoss(label_smoothing=0.1)\nloss = criterion(logits, target)\nloss.backward()":
        [Expected("loss = F.cross_entropy(logits, target, label_smoothing=0.1)", ("logits",))],
    "import torch\nfrom torch import nn\nx = torch.tensor([[1., -1.]], requires_grad=True)\nnet = nn.Sequential(nn.Tanh(), nn.Identity(), nn.Softmax(dim=1))\nnet(x)[0, 0].backward()":
        [Expected("F.softmax(F.tanh(x), dim=1)[0, 0]", X)],
    "import torch\nimport torch.nn.functional as F\nx = torch.tensor([0.5, 2.0], requires_grad=True)\ny = F.gelu(x, approximate='tanh')\ny.sum().backward()":
        [Expected("y = F.gelu(x, approximate='tanh')\ny.sum()", X)],
    # functions, loops, choices
    'import torch\ndef f(x, k=2):\n    """Doc."""\n    s = torch.sin(x)\n    return s**k\nx = torch.tensor(0.7, requires_grad=True)\ny = f(f(x), k=3)\ny.backward()':
        [Expected("s = torch.sin(x)\nx_2 = s**2\ns_2 = torch.sin(x_2)\ny = s_2**3", X)],
    "import torch\nf = lambda t: torch.sin(t)**2\ng = lambda t: f(f(t))\nx = torch.tensor(0.7, requires_grad=True)\ng(x).backward()":
        [Expected("t = torch.sin(x)**2\ntorch.sin(t)**2", X)],
    "import torch\nx = torch.tensor(1.1, requires_grad=True)\ny = x\nfor i in range(1, 4):\n    y = y*x + i\ny.backward()":
        [Expected("y = x*x + 1\ny_2 = y*x + 2\ny_3 = y_2*x + 3", X)],
    "import torch\nx = torch.tensor(1.1, requires_grad=True)\ny = sum([x**i for i in range(3)])\ny.backward()": [Expected("y = x**0 + x**1 + x**2", X)],
    "import torch\ndef leaky(v):\n    if v > 0:\n        return v\n    return 0.1*v\nx = torch.tensor(-2.0, requires_grad=True)\nleaky(x).backward()":
        [Expected("x if x > 0 else 0.1*x", X)],
    "import torch\nx = torch.tensor(2.0, requires_grad=True)\nwith torch.no_grad():\n    c = x*2\ny = c*x\ny.backward()": [Expected("c = stop_gradient(x*2)\ny = c*x", X)],
    # hooks that only show, a class that nothing rests on
    "import torch\nclass Odd:\n    pass\nx = torch.tensor(2.0, requires_grad=True)\nx.register_hook(print)\nx.register_hook(lambda g: print(g))\ny = x**2\ny.backward()": [Expected("y = x**2", X)],
    # derivatives in other words, several of them
    "import torch\nx = torch.tensor([1., 2., 3.], requires_grad=True)\ny = (x**2).mean()\ndx, = torch.autograd.grad(y, x)\nx.grad = dx": [Expected("y = (x**2).mean()", X)],
    "import torch\nfrom torch.autograd import grad\nx = torch.tensor([1., 2.], requires_grad=True)\ny = x.sin()\nprint(grad(outputs=y, inputs=[x], grad_outputs=torch.tensor([1., 2.])))":
        [Expected("y = x.sin()", X, cotangent=["1.", "2."])],
    "import torch\nx = torch.tensor(1.0, requires_grad=True)\ny = x.exp()\ny.backward()\nx = torch.tensor(2.0, requires_grad=True)\ny = x.log()\ny.backward()":
        [Expected("y = x.exp()", X), Expected("y = x.log()", X)],
    "import torch\nx = torch.tensor(3.0, requires_grad=True)\ny = x**2\ny.backward()\nassert x.grad == 6\nwith torch.no_grad():\n    x -= 0.1*x.grad": [Expected("y = x**2", X)],
    "import torch\nx = torch.tensor(2.0, requires_grad=True)\ny = x.detach().clone().requires_grad_(True)\nz = y**2\nz.backward()": [Expected("z = y**2", ("y",))],
    # what only shows something, magics, prompts
    "import torch\nx = torch.tensor(3.0, requires_grad=True)\ny = x**2\ny.backward()\nif abs(x.grad - 6) < 1e-3:\n    print('ok')\nfor name, t in [('x', x)]:\n    print(name, t.grad)":
        [Expected("y = x**2", X)],
    "import torch\nx = torch.tensor([1., 2.], requires_grad=True)\nJ = torch.zeros(2, 2)\nfor i in range(2):\n    J[i] = torch.autograd.grad((x[0]*x)[i], x)[0]":
        [Expected("(x[0]*x)[0]", X), Expected("(x[0]*x)[1]", X)],
    ">>> import torch\n>>> x = torch.ones(2, requires_grad=True)\n>>> y = (x + 2)**2\n>>> y\ntensor([9., 9.])\n>>> y.sum().backward()\n":
        [Expected("y = (x + 2)**2\ny.sum()", X)],
    "In [1]: import torch\n\nIn [2]: x = torch.tensor(2., requires_grad=True)\n\nIn [3]: def f(x):\n   ...:     return x**2\n   ...:\n\nIn [4]: f(x).backward()\n": [Expected("x**2", X)],
    "%matplotlib inline\n!pip install torch\nimport torch\nimport matplotlib.pyplot as plt\nx = torch.tensor([1., 2.], requires_grad=True)\ny = x.tanh()\nfig, ax = plt.subplots()\nax.plot(x.detach(), y.detach())\nplt.show()\ny.sum().backward()":
        [Expected("y = x.tanh()\ny.sum()", X)],
}  # fmt: skip

# What stands before each of the cells below.
HEAD = (
    "import torch\nimport torch.nn as nn\nimport torch.nn.functional as F\n"
    "x = torch.tensor([1.5, -0.5], requires_grad=True)\nw = torch.tensor([0.3, 2.0], requires_grad=True)\n"
)
# What could be misread: names that change, views, scopes, defaults, Python's own functions.
TRICKY = (
    'a, b = x*2, w\na, b = b, a\n(a*b**2).sum().backward()',
    'k = 2\ndef f(v): return v**k\nk = 3\nf(x).sum().backward()',
    'k = 2\ndef f(v, p=k): return v**p\nk = 5\nf(x).sum().backward()',
    'def outer(v):\n    c = w*2\n    def inner(u):\n        return u*c\n    return inner(v) + inner(v*v)\nouter(x).sum().backward()',
    'fs = [lambda v: v*2, torch.tanh]\ny = x\nfor f in fs:\n    y = f(y)\ny.sum().backward()',
    'parts = []\nfor i in range(2):\n    parts.append(x[i]**(i+2))\ntorch.stack(parts).sum().backward()',
    'y = (x*w).reshape(1, 2)\ny = y.T @ y\ny.sum().backward()',
    'def f(a):\n    a = a*2\n    return a\ny = f(x) + x\n(y*f(y)).sum().backward()',
    'x = x*2\nx = x*x\nx.sum().backward()',
    's = 0.0\nfor a, b in zip([1., 2.], [x, w]):\n    s = s + a*b.sum()\ns.backward()',
    'y = torch.where(x > 0, x*w, x)\nloss = F.smooth_l1_loss(y, torch.zeros(2), beta=0.5)\nloss.backward()',
    'y = F.softmax(torch.stack([x, w]), dim=0)\n(y*torch.tensor([[1., 2.], [3., 4.]])).sum().backward()',
    'y = max(x[0], w[0]) + abs(x[1]) + pow(w[1], 2)\ny.backward()',
    'y = -x**2 + (-w)**2 - 2**-1\ny.sum().backward()',
    'y = x.norm() + x.std() + x.var(unbiased=False) + w.max()\ny.backward()',
    'losses = []\nl = (x*w).sum()\nlosses.append(l.item())\nl.backward()',
    'net = nn.Sequential(nn.Softplus(beta=2), nn.ELU(0.5), nn.Hardtanh(-0.5, 0.5))\nnet(x*w).sum().backward()',
    'y = (x if x[0] > 0 else w).sum()\ny.backward()',
    'def g(*, a, b=2.0): return a*b\ng(a=x).sum().backward()',
    'y = x.unsqueeze(0) @ w.unsqueeze(1)\ny.squeeze().backward()',
    't = x.detach()\ny = (t*x).sum()\ny.backward()',
    'c = torch.ones_like(x)*3\n(x*c + torch.zeros_like(w)).sum().backward()',
    'm = len(x)\ny = x.sum()/m + x.numel()*w.mean()\ny.backward()',
    'y = x.clamp(min=0).pow(2).sum() + torch.clip(w, max=1.0).sum()\ny.backward()',
    'n = nn.Flatten()(x.view(1, 2))\nn.sum().backward()',
    'y = nn.CosineSimilarity(dim=0)(x, w)\ny.backward()',
    'y = torch.cat([x, w]).view(2, 2).T\ntorch.linalg.norm(y).backward()',
    'i = 1\ny = x[i-1]*w[-i] + x[:i].sum()\ny.backward()',
    'y = (x**2).sum(); y += w.sum(); y.backward()',
    'y = x*2\nz = y\ny = y + 1\n(z*y).sum().backward()',
)  # fmt: skip

# The whole message; the places are those of a cell without a file.
MESSAGES = {
    "class Net(nn.Module):\n    def forward(self, x):\n        return x*2\nnet = Net()\nx = torch.tensor(3.0, requires_grad=True)\nnet(x).backward()": """\
error[unsupported-syntax]: `Net` is a class, and a class is not read
 --> cell:1:1
  | class Net(nn.Module):
  | ^^^^^^^^^^^^^^^^^^^^^
  = help: write what its `forward` computes as a function, its weights as tensors""",
    "x = torch.tensor(3.0)\ny = x**2\ny.backward()": """\
error[no-input]: nothing that this is computed from requires a gradient: torch's backward would fail
 --> cell:3:1
  | y.backward()
  | ^^^^^^^^^^^^
  = help: make an input with `requires_grad=True`""",
    "x = torch.tensor(3, requires_grad=True)\nx.backward()": """\
error[bad-argument]: torch lets no tensor of integers require a gradient
 --> cell:1:35
  | x = torch.tensor(3, requires_grad=True)
  |                                   ^^^^
  = help: write `3.0` instead of `3`""",
    "x = torch.tensor(3.0, requires_grad=True)\nopt = torch.optim.SGD([x], lr=0.1)\nfor epoch in range(10):\n    (x**2).backward()\n    opt.step()": """\
error[unsupported-syntax]: an optimizer moves the point, and a check is made at one
 --> cell:5:5
  |     opt.step()
  |     ^^^^^^^^^^
  = help: give the cell up to `backward()`, without the loop around it""",
    "x = torch.ones(3, requires_grad=True)\ny = x*2\nwhile y.norm() < 1000:\n    y = y*2\ny.sum().backward()": """\
error[unsupported-syntax]: a loop is not part of the language
 --> cell:3:1
  | while y.norm() < 1000:
  | ^^^^^^^^^^^^^^^^^^^^^^
  = help: write out what it comes to, or loop over `range(3)` or a list""",
    "x = torch.tensor(2.0, requires_grad=True)\nfor i in range(10**9):\n    x = x*2": """\
error[unsupported-syntax]: only a loop over `range` of numbers, or over a list, is written out
 --> cell:2:10
  | for i in range(10**9):
  |          ^^^^^^^^^^^^
  = help: write out what it comes to""",
    "x = torch.tensor(2.0, requires_grad=True)\nfor i in range(1000000000):\n    x = x*2": """\
error[too-large]: a loop is written out for at most 100 rounds
 --> cell:2:10
  | for i in range(1000000000):
  |          ^^^^^^^^^^^^^^^^^""",
    "def f(x):\n    return f(x - 1)\nx = torch.tensor(2.0, requires_grad=True)\nf(x).backward()": """\
error[unsupported-syntax]: `f` calls itself
 --> cell:2:12
  |     return f(x - 1)
  |            ^^^^^^^^
  = help: write out what it comes to""",
    "x = torch.tensor([1.0, 2.0], requires_grad=True)\ny = x.clone()\ny[0] = 5.0\ny.sum().backward()": """\
error[unsupported-syntax]: an assignment to a part of a value is not read
 --> cell:3:1
  | y[0] = 5.0
  | ^^^^
  = help: build the whole value: `torch.stack([a, b])`, `torch.where(c, a, b)`""",
    "x = torch.tensor([1.0, 2.0], requires_grad=True)\nz = x*2\ny = z\ny += 1\nz.sum().backward()": """\
error[unsupported-syntax]: this changes `z` as well, which shares its numbers
 --> cell:4:1
  | y += 1
  | ^
  = help: give it a new name: `y2 = ...`""",
    "x = torch.tensor([1.0, 2.0], requires_grad=True)\nx += 1\nx.sum().backward()": """\
error[unsupported-syntax]: torch lets nobody change `x` in place, which requires a gradient
 --> cell:2:1
  | x += 1
  | ^
  = help: give it a new name: `x2 = ...`""",
    "x = torch.tensor([1., 2.], requires_grad=True)\nmask = x > 1.5\nx[mask].sum().backward()": """\
error[bad-index]: an index must be a constant integer or a slice
 --> cell:3:3
  | x[mask].sum().backward()
  |   ^^^^
  = help: by a condition write `torch.where(c, x, 0)`, by an input `torch.gather`""",
    "x = torch.tensor(3.0, requires_grad=True)\ny = torch.sigmod(x)\ny.backward()": """\
error[unknown-function]: no function named `sigmod`
 --> cell:2:5
  | y = torch.sigmod(x)
  |     ^^^^^^^^^^^^
  = help: did you mean `sigmoid`? `gradcheck functions` lists all""",
    "x = torch.tensor(3.0, requires_grad=True)\ny = x.item()**2\ny.backward()": """\
error[unsupported-syntax]: behind `.item()` torch has no path for a gradient
 --> cell:2:5
  | y = x.item()**2
  |     ^^^^^^^^
  = help: leave it out""",
    "x = torch.tensor(3.0, requires_grad=True)\ny = x**3\ng, = torch.autograd.grad(y, x, create_graph=True)\nz = g**2\nz.backward()": """\
error[unsupported-syntax]: a gradient is what is checked, and is no part of the program
 --> cell:4:5
  | z = g**2
  |     ^
  = help: a second derivative is checked with `--order 2`""",
    "__import__('os').system('true')\nx = torch.tensor(1.0, requires_grad=True)\nx.backward()": """\
error[unknown-function]: no function named `__import__`
 --> cell:1:1
  | __import__('os').system('true')
  | ^^^^^^^^^^
  = help: `gradcheck functions` lists all""",
    "import os\nos.system('true')\nx = torch.tensor(1.0, requires_grad=True)\nx.backward()": """\
error[unknown-function]: `os.system` is not read
 --> cell:2:1
  | os.system('true')
  | ^^^^^^^^^""",
    "x = torch.tensor(1.0, requires_grad=True)\nprint(open('a'))\nx.backward()": """\
error[unsupported-syntax]: this does more than show a value
 --> cell:2:7
  | print(open('a'))
  |       ^^^^""",
}  # fmt: skip
