"""What comes through one step of the forward: taken for a constant, counted twice, of the wrong
sign or with a factor.
"""

from __future__ import annotations

import linecache
import re
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gradcheck_cli.diagnosis.closeness import close
from gradcheck_cli.diagnosis.diagnosis import Diagnosis
from gradcheck_cli.diagnosis.ratios import factor_words, formula_factor, ratio_of, the_number
from gradcheck_cli.diagnosis.scene import flat, with_line_ends
from gradcheck_cli.language.program import Call

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gradcheck_cli.diagnosis.case import Case
    from gradcheck_cli.diagnosis.closeness import SampleNumbers
    from gradcheck_cli.diagnosis.scene import Scene
    from gradcheck_cli.diagnosis.words import Words
    from gradcheck_cli.recording.tape import ArrayStep, CodeLine, Nodes

# What cuts a path in torch: where several steps explain the same, the one that says so is told.
_CUTS = re.compile(
    r"detach|no_grad|\.data\b|\.item\(|numpy\(|tolist\(|set_grad_enabled|inference_mode"
)
# Steps that are tried, at most, before the clock.
_MOST_STEPS = 400
# Elements this much smaller than the largest have too few digits for a difference.
_SMALL = 1e-2


class HeldStep(NamedTuple):
    """The derivative by every input with one step taken for a constant.

    Attributes:
        is_line: the step is all that its line computes.
    """

    step: ArrayStep
    is_line: bool
    rest: dict[str, Nodes]


class Lines:
    """The steps of a forward, each held in its turn; shared by all inputs."""

    def __init__(self, scene: Scene, words: Words) -> None:
        self.scene, self.words = scene, words
        self._held: list[HeldStep] = []
        self._left = self._candidates()
        # What was said to be a constant for one input may leave nothing to another.
        self.blamed: set[int] = set()

    def __iter__(self) -> Iterator[HeldStep]:
        k = 0
        while True:
            while k >= len(self._held):
                try:
                    self._held.append(next(self._left))
                except StopIteration:
                    return
            yield self._held[k]
            k += 1

    def _candidates(self) -> Iterator[HeldStep]:
        """Steps that say that they cut; then lines, the last first; then what stands in them."""
        scene, tape = self.scene, self.scene.recording.tape
        steps = list(with_line_ends(scene.steps, 0, min(scene.forward_steps, _MOST_STEPS)))
        says = {k: cuts(line) for k, line in enumerate(tape.lines)}
        order = sorted(
            range(len(steps)),
            key=lambda k: (not says[steps[k][1].line], not steps[k][2], -k),
        )
        outputs, seen = set(flat(scene.outputs)), set[frozenset[int]]()
        for k in order:
            _, step, is_line = steps[k]
            nodes = scene.builder.nodes
            held = frozenset(i for i in flat(step.result) if isinstance(nodes[i], Call))
            if held and held not in seen and not outputs <= held:
                seen.add(held)
                yield HeldStep(step, is_line, scene.pulled(scene.cotangent, held))

    def says_cut(self, step: ArrayStep) -> bool:
        """Whether a step's line, or a block that it stands in, says that it cuts a path."""
        return cuts(self.scene.recording.tape.lines[step.line])

    def told(self, one: HeldStep) -> str:
        """A step, and where it is."""
        line = self.words.whole(one.step)
        if one.is_line and line and " = " in line:
            return line
        return self.words.step(one.step) or "a step of torch's own"


def cuts(line: CodeLine) -> bool:
    """Whether a line, or what it is indented under in its function, says that it cuts a path."""
    if _CUTS.search(line.text):
        return True
    file, _, number = line.place.rpartition(":")
    indent = None
    for k in range(int(number) if file else 0, 0, -1):
        text = linecache.getline(file, k)
        depth = len(text) - len(text.lstrip())
        if not text.strip() or (indent is not None and depth >= indent):
            continue
        if indent is not None and _CUTS.search(text):
            return True
        indent = depth
        if text.lstrip().startswith(("def ", "class ")) or not depth:
            return bool(_CUTS.search(linecache.getline(file, k - 1)))
    return False


def cut_line(case: Case, lines: Lines) -> Diagnosis | None:
    """A step through which nothing comes, and whose line says that it cuts a path."""
    found = taken_for_constant(case, lines, cut=True)
    return found if found is not None and found.kind == "constant" else None


def taken_for_constant(case: Case, lines: Lines, *, cut: bool = False) -> Diagnosis | None:
    """A step through which nothing comes, twice as much, or as much with the wrong sign.

    Args:
        cut: only those whose line says so.
    """
    for one, rest, part in _parts(case, lines, quick=True):
        if cut and not lines.says_cut(one.step):
            return None  # those come first
        if not case.mine.any() and not (lines.says_cut(one.step) or one.step.line in lines.blamed):
            continue  # any step that all passes through would explain it
        ratio = _ratio_of_part(case.mine - rest, part)
        number = _of_part(case, rest, part) if ratio is None else the_number(ratio)
        if number is not None and close(case.mine, rest + float(number) * part):
            if number == 0:
                lines.blamed.add(one.step.line)
            return _through(case, lines.told(one), number)
    return None


def _ratio_of_part(mine: SampleNumbers, part: SampleNumbers) -> SampleNumbers | None:
    """Both divided where the part is not small: a difference has few digits elsewhere."""
    small = np.abs(part) < _SMALL * np.abs(part).max()
    return ratio_of(np.where(small, 0.0, mine), np.where(small, 0.0, part))


def _of_part(case: Case, rest: SampleNumbers, part: SampleNumbers) -> Fraction | None:
    """Zero, where what comes through a step is left out."""
    return Fraction(0) if part.any() and close(case.mine, rest) else None


def _through(case: Case, told: str, number: Fraction | float) -> Diagnosis:
    if number == 0:
        return Diagnosis("constant", f"{told} is taken for a constant")
    if number == -1:
        return Diagnosis("part-sign", f"what comes through {told} has the wrong sign")
    if number == 2:
        return Diagnosis("part-twice", f"what comes through {told} is counted twice")
    words = f"what comes through {told} is wrong: {factor_words(case, number)}"
    return Diagnosis("part-factor", words, str(number))


def alone(case: Case, lines: Lines) -> Diagnosis | None:
    """What comes through one step, and nothing else; or the derivative of one step."""
    for one, rest, part in _parts(case, lines):
        if rest.any() and case.is_as(part):
            words = f"it is what comes through {lines.told(one)} alone"
            return Diagnosis("part-alone", words)
    scene = case.scene
    for one in lines:
        if one.step.result.size == scene.outputs.size:
            local = scene.pulled(scene.cotangent, outputs=one.step.result)[case.name]
            if scene.gives(local, case.mine):
                words = (
                    f"it is the derivative of {lines.told(one)}: the rest of the chain is missing"
                )
                return Diagnosis("local-derivative", words)
    return None


def factor_in_part(case: Case, lines: Lines) -> Diagnosis | None:
    """A factor that is missing in what comes through a step, the rest being right."""
    for one, rest, part in _parts(case, lines):
        if not rest.any():
            continue
        mine = np.where(np.abs(case.mine - rest) < 1e-13 * np.abs(rest), 0.0, case.mine - rest)
        ratio = ratio_of(mine, part)
        found = None if ratio is None else formula_factor(case, ratio)
        if found is not None and found.kind != "chain-factor":
            words = f"in what comes through {lines.told(one)}: {found.text}"
            return Diagnosis(f"part-{found.kind}", words, found.factor)
    return None


def _parts(
    case: Case, lines: Lines, *, quick: bool = False
) -> Iterator[tuple[HeldStep, SampleNumbers, SampleNumbers]]:
    """The steps that change the derivative by an input: what is left of it without each, and what
    comes through it.

    Args:
        quick: only those of which a number times what comes through may explain what is given.
    """
    true = case.scene.true[case.name]
    for one in lines:
        case.scene.look_at_the_clock()
        held = one.rest[case.name]
        if np.array_equal(held, true):
            continue
        if quick and not _is_simple(case, held):
            continue
        rest = case.scene.numbers(held)
        if not close(rest, case.true) and np.isfinite(rest).all():
            yield one, rest, case.true - rest


def _is_simple(case: Case, held: Nodes) -> bool:
    """Whether a number times what comes through a step would explain the first sample."""
    rest = case.scene.numbers(held, case.scene.worlds[:1])
    part = case.true[:1] - rest
    if close(case.mine[:1], rest):
        return True
    ratio = _ratio_of_part(case.mine[:1] - rest, part)
    return ratio is not None and (part.size == 1 or the_number(np.append(ratio, ratio)) is not None)
