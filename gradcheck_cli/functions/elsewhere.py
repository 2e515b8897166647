"""What several rows say of other libraries: settings that must be written there."""

from __future__ import annotations

from gradcheck_cli.functions.deviations import Elsewhere


def torch_needs(function: str, setting: str, value: str) -> Elsewhere:
    """In torch, where the setting has no default."""
    way_out = f"write {function}(x, {setting}={value})"
    return Elsewhere(needs={setting: f"torch.{function} needs a {setting}: {way_out}"})


def dims_elsewhere(function: str) -> dict[str, Elsewhere]:
    """Along which dim a softmax runs, in libraries that do not take the last one."""
    way_out = f"write {function}(x, dim=-1)"
    by_rank = f"F.{function}(x) takes dim 0 or 1 by the number of dimensions: {way_out}"
    of_all = f"scipy.special.{function}(x) runs over all elements: for the last dim {way_out}"
    torch = torch_needs(function, "dim", "-1")
    return {
        "torch": torch,
        "torch.special": torch,
        "torch.nn.functional": Elsewhere(needs={"dim": by_rank}),
        "scipy.special": Elsewhere(needs={"dim": of_all}),
    }
