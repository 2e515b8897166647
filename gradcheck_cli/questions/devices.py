"""The devices of this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradcheck_cli.language.errors import Mistake, PointError

if TYPE_CHECKING:
    from collections.abc import Iterable


def devices_of(names: Iterable[str]) -> list[str]:
    """The devices that names mean, `all` those that are present.

    Raises:
        PointError: with every one that is not there.
    """
    wanted = list(dict.fromkeys(names))
    if wanted == ["cpu"]:
        return wanted
    import torch

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    present = ["cpu", *(f"cuda:{i}" for i in range(count))]
    absent = [
        Mistake(
            "absent-device",
            f"device `{name}` is not present",
            help=f"present: {', '.join(present)}",
        )
        for name in wanted
        if {"cuda": "cuda:0", "all": "cpu"}.get(name, name) not in present
    ]
    if absent:
        raise PointError(absent)
    meant = (device for name in wanted for device in (present if name == "all" else [name]))
    return list(dict.fromkeys(meant))
