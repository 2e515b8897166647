"""`docs/api.md` is made from the docstrings and is up to date, and no public name lacks one."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import SimpleNamespace

import pytest
from api_page import Undocumented, reference

import gradcheck_cli

PAGE = (Path(__file__).parents[1] / "docs" / "api.md").read_text(encoding="utf-8")


def module(**things):
    """A package with some public names."""
    return SimpleNamespace(__all__=[*things, "__version__"], __version__="1", **things)


def test_the_page_is_up_to_date():
    """`python tests/update_docs.py` writes it."""
    assert f"<!-- api: begin -->\n{reference()}<!-- api: end -->" in PAGE


@pytest.mark.parametrize("name", [name for name in gradcheck_cli.__all__ if name[0] != "_"])
def test_every_public_name_has_a_section(name):
    """One each."""
    assert PAGE.count(f"\n## {name}\n") == 1


def good(x: float, *, y: list[int] | None = None) -> str:
    """What comes of it.

    Args:
        y: more
            of it.
    """


@dataclass(frozen=True)
class Good:
    """A thing.

    Attributes:
        b: the second.
    """

    a: int
    b: str = ""

    @property
    def c(self) -> float:
        """The third."""

    def d(self, x: int) -> bool:
        """The fourth."""


def test_a_page_says_what_docstrings_say():
    """Types of parameters, fields, methods and properties, in the words of the source."""
    text = reference(module(good=good, Good=Good))
    for line in (
        "good(x: float, *, y: list[int] | None = None) -> str",
        "- `y`: more of it.",
        "- `a: int`\n- `b: str`: the second.",
        "Good.c: float",
        "Good.d(x: int) -> bool",
    ):
        assert line in text, line


def bare(x: float) -> str: ...


class Bare: ...


class Inherits(Good): ...


@dataclass
class MadeUp:
    a: int


class BareMethod:
    """Documented."""

    def d(self) -> int: ...


class BareProperty:
    """Documented."""

    @property
    def c(self) -> int: ...


class BareEnum(StrEnum):
    A = "a"


@pytest.mark.parametrize(
    "thing", [bare, Bare, Inherits, MadeUp, BareMethod, BareProperty, BareEnum]
)
def test_a_public_name_without_a_docstring_is_seen(thing):
    """Of a function, a class, a method, a property; neither one that is inherited counts, nor one
    that a dataclass makes up.
    """
    with pytest.raises(Undocumented):
        reference(module(thing=thing))


def test_a_change_of_a_docstring_or_of_a_type_is_seen(monkeypatch):
    """The page then differs from what is made."""
    monkeypatch.setattr(gradcheck_cli.check, "__doc__", "Something else.")
    assert reference() not in PAGE
    monkeypatch.undo()
    assert reference() in PAGE
    monkeypatch.setitem(gradcheck_cli.LiveReport.frame.__annotations__, "return", "int")
    assert reference() not in PAGE
