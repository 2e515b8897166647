"""Texts as people paste them, each with what it is read as, or what is said of it."""

from __future__ import annotations

# Text to strict text. The right-hand side is what a person of the field writes for it in Python.
READ = {
    # powers
    "x^2+1": "x**2 + 1", "2^3^2*x": "2**3**2*x", "-x^2": "-x**2", "e^-x^2": "e**-x**2", "x^-1": "x**-1", "(x+1)^(y-1)": "(x + 1)**(y - 1)",
    "x²": "x**2", "x²y³": "x**2*y**3", "x⁻¹": "x**-1", "xⁿ⁺¹": "x**(n + 1)", "eˣ": "e**x", "-x²": "-x**2", "(x+1)²": "(x + 1)**2", "e^{-x^2}": "e**-x**2",
    "x^2 for_y": "x**2*for_y", "x^2 > 1": "x**2 > 1", "torch.sum(x^2, dim=0)": "torch.sum(x**2, dim=0)", "x[0]^2 + x[1:]²": "x[0]**2 + x[1:]**2",
    # products without a sign
    "2x+1": "2*x + 1", "2(x+1)": "2*(x + 1)", "(x+1)(x-1)": "(x + 1)*(x - 1)", "x y": "x*y", "2 x y": "2*x*y", "2πr": "2*pi*r", "3x^2 - 2x + 1": "3*x**2 - 2*x + 1",
    "2sin(x)": "2*sin(x)", "x sin(x)": "x*sin(x)", "sin(x)cos(x)": "sin(x)*cos(x)", "2e^x": "2*e**x", "1.5e3x": "1.5e3*x", "pi(x+1)": "pi*(x + 1)", "x²(x+1)": "x**2*(x + 1)",
    "1/2*x": "1/2*x", "a*2b": "a*2*b", "2x if x > 0 else 0": "2*x if x > 0 else 0",
    # signs of print
    "x·y": "x*y", "x × y": "x*y", "x⋅y": "x*y", "x ÷ y": "x/y", "x − y": "x - y", "x – 1": "x - 1", "where(x ≤ 1, x, 1)": "where(x <= 1, x, 1)",
    "where(x ≥ 0 ∧ y ≠ 0, x, y)": "where(x >= 0 and y != 0, x, y)", "where(¬(x > 0), x, y)": "where(not x > 0, x, y)", "½x": "1/2*x", "x½": None, "2½x": "(2 + 1/2)*x",
    "（x＋１）＊２": "(x + 1)*2", "x\u00a0+\u2009y": "x + y", "\u200bx\u200b+ 1": "x + 1", "gelu(x, approximate=“tanh”)": "gelu(x, approximate=\"tanh\")", "30°*x": "30*pi/180*x",
    # roots, bars
    "√x": "sqrt(x)", "√(x+1)": "sqrt(x + 1)", "2√x": "2*sqrt(x)", "√2 x": "sqrt(2)*x", "∛x": "cbrt(x)", "∜x": "x**(1/4)", "|x|": "abs(x)", "|x-1|²": "abs(x - 1)**2",
    "2|x|": "2*abs(x)", "|x||y|": "abs(x)*abs(y)", "||x|-1|": "abs(abs(x) - 1)", "|x| + |y|": "abs(x) + abs(y)", "‖x‖": "norm(x)", "||x||": "norm(x)", "‖x‖₁": "linalg_norm(x, ord=1)",
    "‖x - y‖²": "norm(x - y)**2", "||x||_2": "linalg_norm(x, ord=2)", "‖x‖_2^2": "linalg_norm(x, ord=2)**2", "||x||_{1} + 1": "linalg_norm(x, ord=1) + 1", r"||x||_\infty": "linalg_norm(x, ord=inf)", "‖x‖_∞": "linalg_norm(x, ord=inf)", "||x - y||_F": "norm(x - y)", "⌊x⌋": "floor(x)", "⌈x⌉ - x": "ceil(x) - x", "n!": "gamma(n + 1)", "where((x^2>1)||(y>0), x, y)": "where(x**2 > 1 or y > 0, x, y)",
    # functions
    "sin x": "sin(x)", "sin 2x": "sin(2*x)", "ln x": "ln(x)", "sin x + cos x": "sin(x) + cos(x)", "sin x cos x": "sin(x)*cos(x)", "2 sin x": "2*sin(x)",
    "sin x^2": "sin(x**2)", "sin^2(x)": "sin(x)**2", "sin²x": "sin(x)**2", "sin^2 x + cos^2 x": "sin(x)**2 + cos(x)**2", "sin^-1(x)": "asin(x)", "tan⁻¹(x)": "atan(x)",
    "ln x / ln 2": "ln(x)/ln(2)", "log(x, 2)": "log(x)/log(2)", "log(x, b)": "log(x)/log(b)", "math.log(x, 10)": "math.log(x)/math.log(10)", "log_2(x)": "log2(x)", "log_b(x)": "log(x)/log(b)",
    "σ(x)": "sigmoid(x)", "σ(x²)·x": "sigmoid(x**2)*x", "Γ(x)": "gamma(x)", "Φ(x)": "ndtr(x)", "ReLU(x) + 1": "relu(x) + 1", "Sin[x]^2": "sin(x)**2", "Exp(-x)": "exp(-x)",
    # names, statements
    "x₁² + x₂²": "x1**2 + x2**2", "θ₁x": "θ1*x", "λ^2": "λ**2", "exp(-lambda*t)": "exp(-lambda_*t)", "x_{1}^2": "x_1**2", "Wᵀx": "W.T @ x", "x⊤x": "x.T @ x", "x^⊤ A x": "x.T @ A @ x", "x₁x₂": "x1*x2", "xᵀ A x": "x.T @ A @ x", "A Aᵀ x": "A @ A.T @ x", "2 xᵀ A x": "2*x.T @ A @ x", "-xᵀ A x + bᵀ x": "-x.T @ A @ x + b.T @ x", "Aᵀ(A x - b)": "A.T @ (A*x - b)", "x^2;": "x**2",
    "f(x) = x^2": "x**2", "f(x, y) := x y": "x*y", "x ↦ x²": "x**2", "f: x -> x^2": "x**2", "lambda x: x^2": "x**2", "y = 2x; y^2": "y = 2*x; y**2", "= x^2": "x**2",
    "x^2  # the square": "x**2", "y = x^2\nz = 3y": "y = x**2\nz = 3*y", "x^2,": "x**2",
    # LaTeX
    r"$x^2+1$": "x**2 + 1", r"\(x^2\)": "x**2", r"\[ x^{10} \]": "x**10", r"$$\frac{1}{x}$$": "1/x", r"\frac{1}{1+e^{-x}}": "1/(1 + e**-x)", r"\frac12 x^2": "1/2*x**2",
    r"\tfrac{x}{2}y": "x/2*y", r"\sqrt{x^2+1}": "sqrt(x**2 + 1)", r"\sqrt[3]{x}": "cbrt(x)", r"\sqrt[n]{x}": "x**(1/n)", r"\sin x": "sin(x)", r"\sin^2 x + \cos^2 x": "sin(x)**2 + cos(x)**2",
    r"\sin^{-1} x": "asin(x)", r"\ln\left(1+e^x\right)": "ln(1 + e**x)", r"\left|x\right|": "abs(x)", r"\lVert x \rVert": "norm(x)", r"\|x\|_2": "linalg_norm(x, ord=2)",
    r"\log_{2}(x)": "log2(x)", r"\log_{10} x": "log10(x)", r"\exp(-x^2)": "exp(-x**2)", r"\sigma(x)": "sigmoid(x)", r"\sigma x": "sigma*x", r"\operatorname{sech}(x)": "sech(x)",
    r"\mathrm{ReLU}(x)": "relu(x)", r"\text{softmax}(x)": "softmax(x)", r"\max(0, x)": "max(0, x)", r"\min\{x, 1\}": "min(x, 1)", r"\theta_1 x_1": "theta_1*x_1", r"\lambda x": "lambda_*x",
    r"\gamma x": "gamma*x", r"\Gamma(x)": "gamma(x)", r"$2xy$": "2*x*y", r"{x \over y}": "x/y", r"2{x+1 \over y}^2": "2*((x + 1)/y)**2", r"$x^\top A x$": "x.T @ A @ x", r"\frac12 x^\top A x": "1/2*x.T @ A @ x", r"\mathbf{W}^\top \mathbf{x}": "W.T @ x", r"\hat{y}^2": "y_hat**2", r"\lfloor x \rfloor": "floor(x)",
    r"\begin{cases} x^2 & \text{if } x > 0 \\ 0 & \text{otherwise} \end{cases}": "where(x > 0, x**2, 0)", r"\begin{cases} x & x \ge 0 \\ -x & x < 0 \end{cases}": "where(x >= 0, x, -x)",
    r"f(x) = \frac{x}{1+|x|}": "x/(1 + abs(x))", r"\frac{1}{\sigma\sqrt{2\pi}}e^{-\frac{(x-\mu)^2}{2\sigma^2}}": "1/(sigma*sqrt(2*pi))*e**-((x - mu)**2/(2*sigma**2))",
    r"x \cdot y \times z \div 2": "x*y*z/2", r"\begin{align} y &= x^2 \\ \end{align}": "y = x**2", r"\arctan\frac{y}{x}": "arctan(y/x)", r"\sin\theta\cos\phi": "sin(theta)*cos(phi)",
}  # fmt: skip
READ = {text: strict for text, strict in READ.items() if strict is not None}

# Text to the programs that may have been meant, the likelier first.
AMBIGUOUS = {
    "x**2,5": ("x**2.5", "[x**2, 5]"), "1,5x": ("1.5*x", "[1, 5*x]"), "y = x^2,5; 2y": ("y = x**2.5; 2*y", "y = [x**2, 5]; 2*y"), "1,5x + 2,25": ("1.5*x + 2.25", "[1, 5*x + 2, 25]"),
    "x, y": ("[x, y]",), "sin(x), x^2": ("[sin(x), x**2]",),
    "x(x+1)": ("x*(x + 1)",), "2x(x+1)": ("2*x*(x + 1)",), "x (x+1)": ("x*(x + 1)",), "sin x y": ("sin(x)*y", "sin(x*y)"), "ln x y + 1": ("ln(x)*y + 1", "ln(x*y) + 1"),
    "sin x / 2": ("sin(x)/2", "sin(x/2)"), "2 sin x / 3": ("2*sin(x)/3", "2*sin(x/3)"), "1/2x": ("1/2*x", "1/(2*x)"), "a/b c": ("a/b*c", "a/(b*c)"), "1/2 sin(x)": ("1/2*sin(x)", "1/(2*sin(x))"),
    "e^2x": ("e**2*x", "e**(2*x)"), "x^2y": ("x**2*y", "x**(2*y)"), "e^x(1+x)": ("e**x*(1 + x)", "e**(x*(1 + x))"), "x^1/2": ("x**1/2", "x**(1/2)"), "√2x": ("sqrt(2)*x", "sqrt(2*x)"),
    "√x²": ("sqrt(x**2)", "sqrt(x)**2"), "x 2": ("x**2", "x*2"), "x ± 1": ("x + 1", "x - 1"), "lg(x)": ("log10(x)", "log2(x)"), "x^T y": ("x.T @ y", "x**T*y"), "x^T A x": ("x.T @ A @ x", "x**T*A*x"),
    "d/dx x^2": ("x**2",), "d/dx (x^2)": ("x**2",), "d^2/dx^2 sin(x)": ("sin(x)",), "exp^-1(x)": ("exp(x)**-1",), r"\frac{d}{dx} x^2": ("x**2",), r"\sin x / 2": ("sin(x)/2", "sin(x/2)"),
    r"\frac{\partial}{\partial x} x^2": ("x**2",), r"\gamma(x+1)": ("gamma*(x + 1)",),
}  # fmt: skip

# Text and how many dims its names have, to what it is read as there.
OF_MATRICES = {
    r"\|Ax-b\|^2": ({"A": 2, "x": 1, "b": 1}, "norm(A @ x - b)**2"), r"\sigma(Wx+b)": ({"W": 2, "x": 1, "b": 1}, "sigmoid(W @ x + b)"), "A x": ({"A": 2, "x": 1}, "A @ x"),
    "2 A x + A y": ({"A": 2, "x": 0, "y": 2}, "2*A*x + A @ y"), "λ xᵀ x": ({"λ": 0, "x": 1}, "λ*x.T @ x"), "x y": ({"x": 1, "y": 1}, "x*y"), "y = A x; B y": ({"A": 2, "x": 1, "B": 2}, "y = A @ x; B @ y"),
    "‖x‖ A x": ({"A": 2, "x": 1}, "norm(x)*A @ x"), "A B x": ({"A": 2, "B": 2, "x": 1}, "A @ B @ x"), "A sin(B x)": ({"A": 2, "B": 2, "x": 1}, "A @ sin(B @ x)"), "A·x": ({"A": 2, "x": 1}, "A*x"),
}  # fmt: skip
# Text, the names that have values and how many dims these have, to the programs that may be meant.
GLUED = {
    "‖Ax − b‖²": ({"A": 2, "x": 1, "b": 1}, ("norm(A @ x - b)**2",)), "σ(Wx+b)": ({"W": 2, "x": 1, "b": 1}, ("sigmoid(W @ x + b)",)), "xᵀAx": ({"A": 2, "x": 1}, ("x.T @ A @ x",)),
}  # fmt: skip

# Text to the whole of what is said of it.
MESSAGES = {
    "sin x y": """\
error[ambiguous]: where the argument ends is not said
  | sin x y
  | ^^^^^^^
  = help: did you mean: sin(x)*y
  = help: or: sin(x*y)""",
    "x² + y(x+1)": """\
error[ambiguous]: there is no function `y`: a product needs its sign
  | x² + y(x+1)
  |      ^
  = help: did you mean: x**2 + y*(x + 1)""",
    "2x + sigmod(x²)": """\
error[unknown-function]: no function named `sigmod`
  | 2x + sigmod(x²)
  |      ^^^^^^
  = help: did you mean `sigmoid`? `gradcheck functions` lists all""",
    "2xsin(x)": """\
error[unknown-function]: no function named `xsin`
  | 2xsin(x)
  |  ^^^^
  = help: did you mean `sin` or `asin`? `gradcheck functions` lists all
  = help: did you mean: 2*x*sin(x)""",
    "x − foo": None,
    r"\frac{x}{2} + \tanhh(x)": r"""error[unsupported-syntax]: `\tanhh` is not read
  | \frac{x}{2} + \tanhh(x)
  |               ^^^^^^
  = help: write it in the language; `gradcheck functions` lists all functions""",
    r"\sum_{i=1}^n x_i^2": r"""error[unsupported-syntax]: `\sum` is not part of the language
  | \sum_{i=1}^n x_i^2
  | ^^^^
  = help: write it out, or with a function of tensors such as `sum(x**2)`""",
    "∂f/∂x": """\
error[unsupported-syntax]: this is a derivative, and a check differentiates by itself
  | ∂f/∂x
  | ^^^^^
  = help: give the function that is differentiated""",
    "f'(x)": """\
error[unsupported-syntax]: this is a derivative, and a check differentiates by itself
  | f'(x)
  | ^^
  = help: give the function that is differentiated""",
    r"$2f'(x)$": r"""error[unsupported-syntax]: this is a derivative, and a check differentiates by itself
  | $2f'(x)$
  |   ^^
  = help: give the function that is differentiated""",
    "||x||_p": """\
error[unsupported-syntax]: which norm this is is not read
  | ||x||_p
  |      ^
  = help: for example `norm(x, 2)`""",
    "dy/dx = 2x": """\
error[unsupported-syntax]: this states a derivative, and a check is of the function
  | dy/dx = 2x
  | ^^^^^
  = help: give the function that is differentiated""",
    r"\begin{cases} x & x > 0 \\ -x & x < 0 \end{cases}": r"""error[unsupported-syntax]: the cases leave something open
  | \begin{cases} x & x > 0 \\ -x & x < 0 \end{cases}
  | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  = help: write `\text{otherwise}` for the last of them""",
    r"\frac{x}{y": r"""error[syntax]: this formula of LaTeX is not complete, or holds what is not read
  | \frac{x}{y
  | ^^^^^^^^^^""",
    # As the strict reading says it: nothing else is known of these.
    "sin(x": """\
error[syntax]: this is not an expression: '(' was never closed
  | sin(x
  |    ^""",
    "x +": """\
error[syntax]: this is not an expression: invalid syntax
  | x +
  |    ^""",
    "np.log(x, 2)": """\
error[arity]: `log` takes 1 argument, 2 are given
  | np.log(x, 2)
  | ^^^^^^^^^^^^
  = help: `log(x)`""",
    "x^2 for x in y": """\
error[syntax]: this is not an expression: invalid syntax
  | x^2 for x in y
  |     ^^^""",
}
MESSAGES = {text: message for text, message in MESSAGES.items() if message is not None}
