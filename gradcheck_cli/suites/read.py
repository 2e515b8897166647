"""Suites out of texts, with every mistake in all of them found at once."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from dataclasses import replace
from math import prod
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from gradcheck_cli.language.errors import Mistake, UserError
from gradcheck_cli.questions.numbers import MAX_POINTS
from gradcheck_cli.questions.points import Axis, Block, Points, Sample
from gradcheck_cli.suites.document import Document
from gradcheck_cli.suites.expect_fit import expectation_of
from gradcheck_cli.suites.fit import Fit
from gradcheck_cli.suites.keys import SUITE
from gradcheck_cli.suites.kinds import part
from gradcheck_cli.suites.layers import CaseLayers, of_entries, of_layer
from gradcheck_cli.suites.matrix import check_matrix, exclusions, runs_of
from gradcheck_cli.suites.spec import Suite, SuiteCase
from gradcheck_cli.suites.yaml import read_document

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gradcheck_cli.questions.points import Values
    from gradcheck_cli.suites.at import Given
    from gradcheck_cli.suites.document import YamlNode
    from gradcheck_cli.suites.fit import Shaped
    from gradcheck_cli.suites.kinds import Entry
    from gradcheck_cli.suites.matrix import RunKey
    from gradcheck_cli.suites.spec import Layer

# What a file's name ends in; the rest of it names the suite.
STEM_SUFFIXES = (".gradcheck.yaml", ".gradcheck.yml", ".yaml", ".yml")


def read_suites(
    sources: Sequence[tuple[str, str]], over: Layer, under: Layer, seed: int = 0
) -> list[Suite]:
    """The suites, in order; loads no torch.

    Args:
        sources: (file name, text) of each.
        over: what the command line says, which stands above every case.
        under: what the configuration says, which stands below the defaults of every file.
        seed: of samples that have none of their own.
    Raises:
        UserError: with every mistake in all texts and in both layers.
    """
    mistakes: list[Mistake] = []
    above = of_layer(over, "--{}", mistakes)
    below = of_layer(under, "`{}` of the configuration", mistakes)
    suites: list[Suite] = []
    with _no_collection():
        for file, text in sources:
            reader = _Reader(Document(file, text), above, below, seed)
            suites.append(reader.suite())
            mistakes += reader.document.mistakes
    if mistakes:
        raise UserError(dict.fromkeys(mistakes))
    return suites


@contextmanager
def _no_collection() -> Iterator[None]:
    """The garbage collector rests: a thousand cases are a million objects, all of them kept, and it
    would walk over them again and again.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


class _Reader:
    """One file on its way to a Suite."""

    def __init__(
        self, document: Document, above: Mapping[str, Any], below: Mapping[str, Any], seed: int
    ) -> None:
        self.document, self.above, self.below, self.seed = document, above, below, seed
        self.defaults: Mapping[str, Entry] = {}

    def suite(self) -> Suite:
        """What the file says; without its cases if something is wrong with their list."""
        root = read_document(self.document)
        found: dict[str, Entry] = (
            SUITE.read(root, "a suite", self.document) if root is not None else None
        ) or {}
        name = found["name"].value if "name" in found else None
        if "defaults" in found and found["defaults"].value:
            self.defaults = self._entries(found["defaults"].value)
        cases: list[SuiteCase] = []
        if "cases" in found and found["cases"].value:
            nodes: list[YamlNode] = found["cases"].node.items  # type: ignore[union-attr]  # cases that were read are a list
            read = found["cases"].value
            names = self._names(read)
            cases = [
                case
                for each in zip(names, nodes, read, strict=True)
                if (case := self._case(*each)) is not None
            ]
        return Suite(name or _stem(self.document.file), self.document.file, tuple(cases))

    def _entries(self, found: dict[str, Entry]) -> dict[str, Entry]:
        if "matrix" in found:
            check_matrix(found["matrix"], self.document)
        return of_entries(found)

    def _names(self, read: Sequence[dict[str, Entry] | None]) -> list[str]:
        """The name of each case; two of one name are told."""
        names: list[str] = []
        known: dict[str, int] = {}
        for i, case in enumerate(read):
            own = case["id"].value if case and "id" in case else None
            names.append(own or f"case-{i + 1}")
            known.setdefault(names[-1], i)
        for i, case in enumerate(read):
            first = known[names[i]]
            if first == i:
                continue
            # Of the two at least one has written its name down.
            entry = case["id"] if case and "id" in case else (read[first] or {})["id"]
            other = (
                f"it is that of case {first + 1}"
                if case and "id" in case
                else f"case {i + 1} without an `id` is called so"
            )
            self.document.add_mistake(
                "duplicate-id", f"the id `{names[i]}` is taken: {other}", entry.node
            )
        return names

    def _case(self, name: str, node: YamlNode, found: dict[str, Entry] | None) -> SuiteCase | None:
        """A case; where something is wrong with it, what comes back is not used."""
        if found is None:
            return None
        settings = CaseLayers(self.above, self._entries(found), self.defaults, self.below)
        runs, left_out = runs_of(settings, self.document)
        expr = settings.entry("expr")
        if expr is None or expr.value is None:
            return None
        fit = Fit(self.document, name, expr, settings)
        wrt, points = self._asked(name, fit, () if left_out else runs)
        shapes = self._shapes(fit, wrt, points)
        expected = expectation_of(fit, wrt, shapes)
        tol, step, timeout = settings["tol"], settings["step"], settings["timeout"]
        return SuiteCase(
            id=f"{self.document.file}::{name}",
            place=self.document.place(node.span.start),
            program=fit.program,
            points=points,
            wrt=wrt,
            cotangent=settings["cotangent"],
            runs=runs,
            excluded=exclusions(settings["exclude"]),
            tolerance=tol.value if tol else None,
            step=step.value if step else None,
            given=(*(tol.given if tol else ()), *(step.given if step else ())),
            expected=expected,
            tags=tuple(dict.fromkeys(settings["tags"] or ())),
            skip=settings["skip"] or left_out,
            xfail=settings["xfail"],
            timeout=timeout.value if timeout else None,
            strict=settings["strict"],
        )

    def _asked(self, name: str, fit: Fit, runs: Sequence[RunKey]) -> tuple[tuple[str, ...], Points]:
        """What is differentiated, and at which points."""
        at = fit.settings.entry("at")
        given: Sequence[Given] = (at.value if at is not None else ()) or ()
        if at is None or at.value is not None:
            fit.names(given)
        fit.good = (
            fit.good
            and (at is None or at.value is not None)
            and all(entry.value is not None for block in given for entry in block.entries.values())
        )
        wrt = fit.wrt()
        fit.numbers(given, runs)
        points = Points(
            tuple(self._block(name, number, block, fit) for number, block in enumerate(given))
            or (Block(()),)
        )
        if (
            at is not None
            and sum(prod(map(len, block.axes)) for block in points.blocks) > MAX_POINTS
        ):
            fit.add_misfit(
                "too-large", f"these are more than {MAX_POINTS:,} points", at.key, key="at"
            )
        return wrt, points

    def _block(self, name: str, number: int, given: Given, fit: Fit) -> Block:
        """One mapping of `at`; the draws of each are its own."""
        key = f"{name}:{number + 1}" if number else name

        def keyed(values: Values, variable: str) -> Values:
            if not isinstance(values, Sample):
                return values
            return replace(
                values,
                seed=self.seed if values.seed is None else values.seed,
                key=f"{key}:{variable}",
            )

        if given.joint is not None:
            together = tuple(name for name in fit.variables if name not in fit.indices)
            return Block(
                (Axis(together, tuple(keyed(given.joint, name) for name in together)),)
                if together
                else ()
            )
        return Block(
            tuple(
                Axis((variable,), (keyed(entry.value, variable),))
                for variable, entry in given.entries.items()
                if entry.value is not None
            )
        )

    def _shapes(self, fit: Fit, wrt: tuple[str, ...], points: Points) -> list[Shaped]:
        """The shapes at the first point of each block, if all is well so far."""
        if not fit.good:
            return []
        at = fit.settings.entry("at")
        where = (
            [part(at.node, i) for i in range(len(points.blocks))] if at is not None else [fit.expr]
        )
        found = [
            fit.shapes(block[0], node, wrt)
            for block, node in zip(points.blocks, where, strict=True)
        ]
        return [shapes for shapes in found if shapes is not None]


def _stem(file: str) -> str:
    """A file's name without what says that it is a suite."""
    name = PurePosixPath(file).name
    return next(
        (
            name.removesuffix(suffix)
            for suffix in STEM_SUFFIXES
            if name.endswith(suffix) and name != suffix
        ),
        name,
    )
