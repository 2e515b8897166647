"""What a project starts with: a first suite, its schema, and a job that runs it."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import TYPE_CHECKING

from gradcheck_cli import __version__
from gradcheck_cli.language.errors import mistake

if TYPE_CHECKING:
    from pathlib import Path

    from gradcheck_cli.language.errors import PointError

FIRST_SUITE, SCHEMA = "suites/first.gradcheck.yaml", "suites/gradcheck-suite.schema.json"
GITHUB, GITLAB = ".github/workflows/gradcheck.yml", ".gitlab/gradcheck.yml"
# In a template this stands for the version that writes it.
_VERSION = "GRADCHECK_VERSION"


def write_starter(folder: Path, *, gitlab: bool = False) -> dict[str, bool]:
    """Whether each file of a starter was written; one that is there stays as it is.

    Raises:
        UserError: a file cannot be written.
    """
    return {name: _write(folder / name, text) for name, text in starter(gitlab=gitlab).items()}


def starter(*, gitlab: bool = False) -> dict[str, str]:
    """The files by their names, with `/` between folders."""
    return {
        FIRST_SUITE: _template("first.gradcheck.yaml"),
        SCHEMA: _schema(),
        **({GITLAB: _template("gitlab.yml")} if gitlab else {GITHUB: _template("github.yml")}),
    }


def _template(name: str) -> str:
    return files(__name__).joinpath(name).read_text(encoding="utf-8").replace(_VERSION, __version__)


def _schema() -> str:
    from gradcheck_cli.suites.schema import suite_schema

    return json.dumps(suite_schema(), indent=2, ensure_ascii=False) + "\n"


def _write(path: Path, text: str) -> bool:
    """Whether there was no such file."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except FileExistsError as error:
        if path.is_file():
            return False
        raise _unwritable(path, error) from error
    except OSError as error:
        raise _unwritable(path, error) from error
    return True


def _unwritable(path: Path, error: OSError) -> PointError:
    return mistake("unwritable", f"`{path}` cannot be written: {error.strerror or error}")
