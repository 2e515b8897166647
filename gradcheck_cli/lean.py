"""torch imported without what nobody here asks of it: what its functions do on the `meta` device,
which takes a third of its import.

That module is there all the same, and loads itself when somebody looks into it. Code of other
people may use the device without looking, or a compiler that imports in an order of its own: where
such code runs, torch is imported whole.
"""

from __future__ import annotations

import sys
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

# A private name: in a torch without it nothing is left for later.
UNREAD = "torch._meta_registrations"


class _Unread(ModuleType):
    """A module that is executed when a name of it is asked for. Unlike those of `LazyLoader` it
    tells where it comes from without: `inspect.getmodule`, which torch calls while it is imported,
    asks that of every module.
    """

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        loader = self.__loader__
        assert isinstance(loader, _Later)
        self.__class__ = ModuleType  # type: ignore[assignment]  # from here on a module like others
        loader.real.exec_module(self)
        return getattr(self, name)


class _Later(Loader):
    """Leaves a module to be executed later.

    Attributes:
        real: who executes it.
    """

    def __init__(self, real: Loader) -> None:
        self.real = real

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """As `Loader.create_module`."""
        return _Unread(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Nothing yet."""


class _Finder(MetaPathFinder):
    """Finds that module."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """As `MetaPathFinder.find_spec`."""
        spec = PathFinder.find_spec(name, path, target) if name == UNREAD else None
        if spec is not None and spec.loader is not None:
            spec.loader = _Later(spec.loader)
        return spec


def import_torch_lean() -> None:
    """From here on torch, where it is not imported yet, is imported without that module."""
    if "torch" not in sys.modules:
        sys.meta_path.insert(0, _Finder())
