"""torch without what its `meta` device alone needs: there when it is asked for, and nobody's answer
changes.
"""

from __future__ import annotations

import subprocess
import sys

import pytest

LEAN = """
import sys
from gradcheck_cli.lean import UNREAD, import_torch_lean
import_torch_lean()
import torch
assert "torch._decomp" not in sys.modules, "nothing was left for later"
"""
WHOLE = "import torch, sys\n"


def printed(program):
    """What a program prints in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_it_is_read_when_somebody_looks():
    """By whoever imports it as well; then the device works as ever."""
    work = """
import torch._meta_registrations as registrations
print(registrations.pooling_output_shape.__name__, type(registrations).__name__)
print(torch.linalg.qr(torch.empty(3, 4, device="meta"))[0].shape)
"""
    assert printed(LEAN + work) == printed(WHOLE + work)


@pytest.mark.parametrize(
    "work",
    [
        "torch.func.jvp(torch.nn.functional.softplus, (x.detach(),), (torch.ones(3),))",
        "torch.func.vmap(torch.func.grad(lambda v: torch.sigmoid(v**2)))(x.detach())",
        "torch.autograd.functional.hessian(lambda v: torch.tanh(v).prod(), x.detach())",
        "torch.autograd.grad(torch.nn.functional.gelu(x).sum(), x)",
    ],
)
def test_torch_answers_the_same(work):
    """Whatever way of differentiating it is asked for."""
    text = f"x = torch.tensor([0.3, -2.0, 5.0], requires_grad=True)\nprint({work})"
    assert printed(LEAN + text) == printed(WHOLE + text)


def test_a_torch_without_that_module_is_imported_whole():
    """The name is torch's own affair."""
    text = """
from gradcheck_cli import lean
lean.UNREAD = "torch._no_such_module"
lean.import_torch_lean()
import torch
print("torch._decomp" in __import__("sys").modules)
"""
    assert printed(text) == "True\n"


def test_torch_that_is_there_is_left_alone():
    """A finder would wait for something else."""
    text = """
import sys, torch
from gradcheck_cli.lean import import_torch_lean
before = list(sys.meta_path)
import_torch_lean()
print(sys.meta_path == before)
"""
    assert printed(text) == "True\n"
