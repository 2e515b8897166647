"""Cases that call a person's function. What they say is read, and nothing is imported."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from unicodedata import normalize

from gradcheck_cli.code.standards import STANDARDS
from gradcheck_cli.language.errors import elide
from gradcheck_cli.suites.expect import outcomes_of, partial_of
from gradcheck_cli.suites.expected import Expectation
from gradcheck_cli.suites.spec import NamedFunction

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gradcheck_cli.suites.document import Document
    from gradcheck_cli.suites.expected import ExpectedPartial
    from gradcheck_cli.suites.kinds import Entry
    from gradcheck_cli.suites.layers import CaseLayers
    from gradcheck_cli.suites.spec import SuiteCase


def with_code(case: SuiteCase, settings: CaseLayers, document: Document) -> SuiteCase | None:
    """The case with the function it calls, and what is expected of that; None where its name says
    nothing.
    """
    entry = settings.case["function"]
    if entry.value is None:
        return None
    _require_one_standard(case, settings, document)
    given = settings.entry("args")
    arguments = () if given is None or given.value is None else tuple(_arguments(given.value))
    names = (name for name in settings["wrt"] or () if name is not None)
    return replace(
        case,
        wrt=tuple(dict.fromkeys(normalize("NFKC", name.strip()) for name in names)),
        expected=_expectation(case, settings, document),
        code=NamedFunction(entry.value, document.place(entry.node.span.start), arguments),
    )


def _require_one_standard(case: SuiteCase, settings: CaseLayers, document: Document) -> None:
    """Tell of a second thing that the function is to be held against; of two in one mapping the
    keys exclude each other.
    """
    said = [name for name in STANDARDS if settings.entry(name) is not None]
    inherited = [name for name in said if settings.inherited(name)]
    if inherited and len(inherited) < len(said):
        own = next(name for name in said if not settings.inherited(name))
        message = f"`{own}` and `{inherited[0]}` of `defaults` exclude each other"
        document.add_mistake("conflicting-keys", message, settings.case[own].key)


def _arguments(given: dict[str, Entry]) -> Iterator[str]:
    for name, entry in given.items():
        if entry.value is not None:
            yield f"{name}={entry.value}"


def _expectation(case: SuiteCase, settings: CaseLayers, document: Document) -> Expectation | None:
    """What is expected. Whether numbers are of the right shape is known when they are there."""
    entry = settings.entry("expect")
    if entry is None or entry.value is None:
        return None
    if isinstance(entry.value, str):
        return Expectation(outcomes_of(entry.value), tolerance=case.tolerance)
    value, named = entry.value.get("value"), entry.value.get("partials")
    return Expectation(
        outcomes_of(entry.value),
        None if value is None else value.value,
        tuple(_partials({} if named is None else named.value or {}, document)),
        case.tolerance,
    )


def _partials(named: dict[str, Entry], document: Document) -> Iterator[ExpectedPartial]:
    for text, entry in named.items():
        partial = partial_of(text, entry.value)
        if partial is None:
            message = f"`partials` names `{elide(text)}`, which is no argument of a function"
            way_out = "an argument is written `W`, an element of it `W[0,1]`"
            document.add_mistake("unknown-input", message, entry.key, way_out)
        elif entry.value is not None:
            yield partial
