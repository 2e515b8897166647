"""How many of torch's own operators the language knows: `python benchmarks/coverage.py`.

The list is torch's table of operator tests (`op_db`), of its differentiable entries each name once.
One counts as known where its name, one of its aliases or its method is a name of the language, or
an attribute or a sign of it.
With torch 2.13: 387 of 487. It needs the package `expecttest`, as torch's table does.
"""

from __future__ import annotations

import sys
from textwrap import fill
from typing import TYPE_CHECKING

from gradcheck_cli.functions import names
from gradcheck_cli.language.libraries import ATTRIBUTES

if TYPE_CHECKING:
    from collections.abc import Iterator


def written(entry: object) -> Iterator[str]:
    """What an operator is called, without the prefix of its library."""
    for name in (entry.name, *(alias.name for alias in entry.aliases)):
        bare = name.rpartition(".")[2]
        # `__radd__` is what Python calls for `2 + x`.
        yield bare.strip("_").removeprefix("r") if bare.startswith("__") else bare
    method = getattr(entry, "method_variant", None)
    if method is not None:
        yield method.__name__


def coverage() -> tuple[list[str], list[str]]:
    """Names that are known, and names that are not."""
    from torch.testing._internal.common_methods_invocations import op_db

    known, found = {*names(), *ATTRIBUTES}, dict[str, bool]()
    for entry in op_db:
        if entry.supports_autograd:
            is_known = any(name in known for name in written(entry))
            found[entry.name] = found.get(entry.name, False) or is_known
    return [n for n, yes in found.items() if yes], [n for n, yes in found.items() if not yes]


def main() -> None:
    """Print the share, and what is missing."""
    known, missing = coverage()
    total = len(known) + len(missing)
    sys.stdout.write(f"{len(known)} of {total} differentiable operators of torch are known\n")
    sys.stdout.write(fill("missing: " + ", ".join(sorted(missing)), 100) + "\n")


if __name__ == "__main__":
    main()
