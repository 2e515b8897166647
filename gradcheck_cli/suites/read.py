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
from gradcheck_cli.settings.values import run_again_words
from gradcheck_cli.suites.document import Document
from gradcheck_cli.suites.expect_fit import expectation_of
from gradcheck_cli.suites.fit import Fit
from gradcheck_cli.suites.functions import with_code
from gradcheck_cli.suites.keys import SUITE
from gradcheck_cli.suites.kinds import part
from gradcheck_cli.suites.layers import CaseLayers, by_keys, of_entries
from gradcheck_cli.suites.matrix import check_matrix, exclusions, runs_of
from gradcheck_cli.suites.over import pointed, with_sweep
from gradcheck_cli.suites.spec import Suite, SuiteCase
from gradcheck_cli.suites.yaml import read_document

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gradcheck_cli.questions.points import Values
    from gradcheck_cli.settings.values import Layer
    from gradcheck_cli.suites.at import PointMapping
    from gradcheck_cli.suites.document import YamlNode
    from gradcheck_cli.suites.fit import PointShapes
    from gradcheck_cli.suites.kinds import Entry

# What a file's name ends in; the rest of it names the suite.
STEM_SUFFIXES = (".gradcheck.yaml", ".gradcheck.yml", ".yaml", ".yml")


def read_suites(sources: Sequence[tuple[str, str]], over: Layer, under: Layer) -> list[Suite]:
    """The suites, in order; loads no torch.

    Args:
        sources: (file name, text) of each.
        over: what the command line says, which stands above every case.
        under: what the configuration says, which stands below the defaults of every file.
    Raises:
        UserError: with every mistake in all texts.
    """
    mistakes: list[Mistake] = []
    above, below, again = by_keys(over), by_keys(under), run_again_words(over)
    suites: list[Suite] = []
    with _no_collection():
        for file, text in sources:
            reader = _Reader(Document(file, text), above, below, again)
            suites.append(reader.suite())
            mistakes += reader.document.mistakes
    if mistakes:
        raise UserError(dict.fromkeys(mistakes))
    return suites


@contextmanager
def _no_collection() -> Iterator[None]:
    """The garbage collector rests: it would walk again and again over a million live objects."""
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
        self,
        document: Document,
        above: Mapping[str, Any],
        below: Mapping[str, Any],
        again: tuple[str, ...],
    ) -> None:
        self.document, self.above, self.below = document, above, below
        self.again = again
        self.defaults: Mapping[str, Entry] = {}

    def suite(self) -> Suite:
        """What the file says; without its cases if something is wrong with their list."""
        root = read_document(self.document)
        keys = SUITE.read(root, "a suite", self.document) if root is not None else None
        values = {key: entry.value for key, entry in (keys or {}).items()}
        if values.get("defaults"):
            self.defaults = self._entries(values["defaults"])
        cases: list[SuiteCase | None] = []
        if keys and values.get("cases"):
            node, entries = keys["cases"].node, values["cases"]
            for i, (name, each) in enumerate(zip(self._names(entries), entries, strict=True)):
                cases.append(self._case(name, part(node, i), each))
        title = values.get("name") or _stem(self.document.file)
        good = tuple(case for case in cases if case is not None)
        return Suite(title, self.document.file, good)

    def _entries(self, entries: dict[str, Entry]) -> dict[str, Entry]:
        if "matrix" in entries:
            check_matrix(entries["matrix"], self.document)
        return of_entries(entries)

    def _names(self, cases: Sequence[dict[str, Entry] | None]) -> list[str]:
        """The name of each case; two of one name are told."""
        names: list[str] = []
        known: dict[str, int] = {}
        for i, case in enumerate(cases):
            own = case["id"].value if case and "id" in case else None
            names.append(own or f"case-{i + 1}")
            known.setdefault(names[-1], i)
        for i, case in enumerate(cases):
            first = known[names[i]]
            if first == i:
                continue
            # Of the two at least one has written its name down.
            if case and "id" in case:
                entry, other = case["id"], f"it is that of case {first + 1}"
            else:
                entry = (cases[first] or {})["id"]
                other = f"case {i + 1} without an `id` is called so"
            message = f"the id `{names[i]}` is taken: {other}"
            self.document.add_mistake("duplicate-id", message, entry.node)
        return names

    def _case(self, name: str, node: YamlNode, own: dict[str, Entry] | None) -> SuiteCase | None:
        """A case; where something is wrong with it, what comes back is not used."""
        if own is None:
            return None
        settings = CaseLayers(self.above, self._entries(own), self.defaults, self.below)
        runs, left_out = runs_of(settings, self.document)
        case = SuiteCase(
            id=f"{self.document.file}::{name}",
            place=self.document.place(node.span.start),
            program=None,
            points=Points((Block(()),)),
            cotangent=settings["cotangent"],
            runs=runs,
            excluded=exclusions(settings["exclude"]),
            tags=tuple(dict.fromkeys(settings["tags"] or ())),
            skip=settings["skip"] or left_out,
            xfail=settings["xfail"],
            settings=settings.values(),
            given=settings.repeated(),
            again=self.again,
        )
        if "function" in own:
            return with_code(case, settings, self.document)
        expr = settings.entry("expr")
        if expr is None or expr.value is None:
            return None
        fit = Fit(self.document, name, expr, settings)
        mappings = self._mappings(fit)
        if settings.entry("over") is not None:
            fit.way()
            swept = with_sweep(case, fit, mappings)
            expected = expectation_of(fit, swept.wrt, [])
            return replace(swept, program=fit.program, expected=expected)
        wrt = fit.wrt()
        fit.way()
        fit.numbers(mappings, () if left_out else runs)
        points = self._points(name, mappings, fit)
        shapes = self._shapes(fit, wrt, points)
        expected = expectation_of(fit, wrt, shapes)
        return replace(case, program=fit.program, points=points, wrt=wrt, expected=expected)

    def _mappings(self, fit: Fit) -> Sequence[PointMapping]:
        """The mappings of `at`, once it is known whether the names in them are right."""
        at = fit.settings.entry("at")
        if at is not None and at.value is None:
            fit.good = False
            return ()
        mappings: Sequence[PointMapping] = at.value if at is not None else ()
        fit.names(pointed(mappings, fit))
        entries = (entry for mapping in mappings for entry in mapping.entries.values())
        fit.good = fit.good and all(entry.value is not None for entry in entries)
        return mappings

    def _points(self, name: str, mappings: Sequence[PointMapping], fit: Fit) -> Points:
        at = fit.settings.entry("at")
        blocks = tuple(self._block(name, i, mapping, fit) for i, mapping in enumerate(mappings))
        if at is not None and sum(prod(map(len, block.axes)) for block in blocks) > MAX_POINTS:
            message = f"these are more than {MAX_POINTS:,} points"
            fit.add_misfit("too-large", message, at.key, key="at")
        return Points(blocks or (Block(()),))

    def _block(self, name: str, number: int, mapping: PointMapping, fit: Fit) -> Block:
        """One mapping of `at`; the draws of each are its own."""
        key = f"{name}:{number + 1}" if number else name

        def with_key(values: Values, variable: str) -> Values:
            if not isinstance(values, Sample):
                return values
            seed = fit.settings["seed"] or 0 if values.seed is None else values.seed
            return replace(values, seed=seed, key=f"{key}:{variable}")

        if mapping.joint is not None:
            names = tuple(name for name in fit.variables if name not in fit.indices)
            draws = tuple(with_key(mapping.joint, name) for name in names)
            return Block((Axis(names, draws),) if names else ())
        values = {variable: entry.value for variable, entry in mapping.entries.items()}
        return Block(
            tuple(
                Axis((variable,), (with_key(each, variable),))
                for variable, each in values.items()
                if each is not None
            )
        )

    def _shapes(self, fit: Fit, wrt: tuple[str, ...], points: Points) -> list[PointShapes]:
        """The shapes at the first point of each block, if all is well so far."""
        if not fit.good:
            return []
        at = fit.settings.entry("at")
        shapes = []
        for i, block in enumerate(points.blocks):
            place = fit.expr if at is None else part(at.node, i)
            shapes.append(fit.shapes(block[0], place, wrt))
            for point in fit.infinite_points(block, wrt) if fit.good else ():
                if fit.shapes(point, place, wrt) is None:
                    break
        return [each for each in shapes if each is not None]


def _stem(file: str) -> str:
    """A file's name without what says that it is a suite."""
    name = PurePosixPath(file).name
    stems = (name.removesuffix(suffix) for suffix in STEM_SUFFIXES)
    return next((stem for stem in stems if stem and stem != name), name)
