"""Whose code runs: a person's, torch's or ours."""

from __future__ import annotations

import sysconfig
from functools import cache
from importlib.util import find_spec


@cache
def _others() -> tuple[str, ...]:
    """What paths of files begin with that are no person's: this package, torch, the interpreter's
    own.
    """
    found = [__file__.rpartition("recording")[0]]
    for name in ("torch", "numpy"):
        spec = find_spec(name)
        if spec is not None and spec.submodule_search_locations:
            found += [f"{place}/" for place in spec.submodule_search_locations]
    return (*found, "<frozen", "<string>")


def is_of_person(file: str) -> bool:
    """Whether a file is a person's."""
    if file.startswith(_others()):
        return False
    # What is installed may lie inside of the interpreter's own folder.
    return "site-packages" in file or not file.startswith(_interpreter())


@cache
def _interpreter() -> str:
    return f"{sysconfig.get_path('stdlib')}/"
