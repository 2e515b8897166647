"""Whether code may be imported. A suite is data and may come from anywhere: what it names is
imported, and so run, where the user has said so in another place.
"""

from __future__ import annotations

import os
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from gradcheck_cli.language.errors import Mistake, PointError
from gradcheck_cli.settings.readers import is_path

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gradcheck_cli.suites.spec import SuiteCase


def require_allowed(cases: Sequence[SuiteCase], allowed: Sequence[str]) -> None:
    """Nothing, if all that the cases import may be imported; of one that is skipped nothing is.

    Args:
        allowed: packages by their dotted names, files and folders by their paths.
    Raises:
        UserError: something may not, told once for each module.
    """
    mistakes: dict[str, Mistake] = {}
    for case in cases:
        if case.skip is None and case.code is not None:
            for module in refused(case, allowed):
                mistakes.setdefault(module, _refusal(case, module))
    if mistakes:
        raise PointError(mistakes.values())


def refused(case: SuiteCase, allowed: Sequence[str]) -> Iterator[str]:
    """The modules and files that a case imports and may not."""
    for title in case.imports:
        module = title.rpartition(":")[0]
        if not any(_is_covered(module, word) for word in allowed):
            yield module


def _refusal(case: SuiteCase, module: str) -> Mistake:
    assert case.code is not None, "a program imports nothing"
    word = module if is_path(module) else module.partition(".")[0]
    message = f"`{case.id}` imports `{module}`, and nobody has allowed that"
    way_out = f"to import is to run: if you trust it, add --allow-import {quote(word)}"
    return Mistake("import-not-allowed", message, help=way_out, place=str(case.code.place))


def _is_covered(module: str, word: str) -> bool:
    """Whether a module or file is meant by a word: a package means what is in it, and a folder all
    files below it. The name of a file says nothing of what is in it, so it takes its path.
    """
    if is_path(module) != is_path(word):
        return False
    if not is_path(module):
        return module == word or module.startswith(f"{word}.")
    file, path = os.path.realpath(module), os.path.realpath(word)
    return file == path or (Path(path).is_dir() and Path(file).is_relative_to(path))
