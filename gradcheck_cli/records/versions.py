"""Versions of everything that the results depend on, read from package data so that nothing is
imported.
"""

from __future__ import annotations

import platform
from functools import cache
from importlib.metadata import PackageNotFoundError, version

from gradcheck_cli import __version__


@cache
def versions() -> dict[str, str]:
    """Versions that a report states."""
    return {
        "gradcheck": __version__,
        "python": platform.python_version(),
        "torch": version_of("torch"),
        "sympy": version_of("sympy"),
        "python_flint": version_of("python-flint"),
        "platform": platform.platform(),
    }


def version_of(package: str) -> str:
    """The installed version of a distribution."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
