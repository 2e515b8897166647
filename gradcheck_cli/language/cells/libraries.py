"""Full names of libraries, and how the language spells them."""

from __future__ import annotations

from gradcheck_cli.language.libraries import PREFIXES

# What people call libraries whose import stands in another cell.
USUAL = {
    "torch": "torch", "nn": "torch.nn", "F": "torch.nn.functional", "np": "numpy", "numpy": "numpy",
    "math": "math", "jnp": "jax.numpy", "jax": "jax", "scipy": "scipy", "sympy": "sympy",
    "sp": "sympy", "tf": "tensorflow", "plt": "matplotlib.pyplot", "sns": "seaborn",
    "random": "random", "os": "os", "sys": "sys", "time": "time", "warnings": "warnings",
}  # fmt: skip
# Where a name of torch is found as well.
_SAME = {
    "torch.autograd.Variable": "torch.Variable",
    "torch.nn.Parameter": "torch.Parameter",
    "torch.nn.parameter.Parameter": "torch.Parameter",
    "torch.autograd.variable.Variable": "torch.Variable",
    "torch.nn.modules.activation": "torch.nn",
    "torch.nn.modules.loss": "torch.nn",
    "torch.nn.init": "torch.init",
}
_SPELLED = {"torch.nn.functional": "F", "numpy": "np", "jax.numpy": "jnp", "tensorflow": "tf"}


def known_path(path: str) -> str:
    """A full name, or the one that it is known by."""
    return _SAME.get(path, path)


def spelled_prefix(path: str) -> str:
    """How the language spells a library before one of its functions."""
    for library, short in _SPELLED.items():
        spelled = f"{short}{path.removeprefix(library)}"
        if path.startswith(library) and (path == library or spelled in PREFIXES):
            return spelled
    return path
