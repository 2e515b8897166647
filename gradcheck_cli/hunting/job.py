"""A hunt on its way: hunted, shrunk, and what is found checked by everybody."""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import dataclass, field, replace
from fractions import Fraction
from math import inf
from time import monotonic
from typing import TYPE_CHECKING

from gradcheck_cli.checks.check import check_batches, panel
from gradcheck_cli.checks.watch import Ending, settles
from gradcheck_cli.hunting.hunt import Hunter
from gradcheck_cli.hunting.judging import Judge
from gradcheck_cli.hunting.shrinking import shortest_text, shrunk
from gradcheck_cli.hunting.telling import case_note, hunt_notes
from gradcheck_cli.questions.batching import batches
from gradcheck_cli.questions.numbers import Exact

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from gradcheck_cli.checks.report import LiveReport
    from gradcheck_cli.checks.result import Result
    from gradcheck_cli.hunting.judging import Judged
    from gradcheck_cli.hunting.space import Space
    from gradcheck_cli.settings.quantities import Quota
    from gradcheck_cli.symbolic.client import Analyst

# Seconds that a hunt has to come to an end of its round after Ctrl-C.
_GRACE = 10.0


@dataclass
class HuntJob:
    """Spaces to be hunted through, and SymPy's process.

    Attributes:
        over: the ranges as written.
        hunters: those at work so far, one for each space.
    """

    spaces: Sequence[Space]
    analyst: Analyst
    budget: Quota
    seed: int
    over: str
    hunters: list[Hunter] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)

    def __len__(self) -> int:
        """Something that grows as long as the hunt goes on."""
        return sum(hunter.judge.asked + hunter.screened for hunter in self.hunters)

    def watched(
        self, tell: Callable[[HuntJob], None], limit: float, exhausted: threading.Event
    ) -> Ending:
        """Hunt in a thread, so that this one hears Ctrl-C and the clock while torch is inside a
        long call. What was found until then is checked all the same.

        Args:
            tell: called after each round.
            limit: seconds without a point judged or screened after which the hunt is given up.
            exhausted: ends the hunt when it is set: there is no more memory to be taken.
        """
        ended, done = Ending(), threading.Event()
        finished: list[int] = []

        def work() -> None:
            try:
                for space in self.spaces:
                    if self._stop.is_set():
                        break
                    self._hunt(space, tell)
                    results = self._checked(self.hunters[-1])
                    if done.is_set():
                        return
                    ended.results += results
                    finished.append(len(self.hunters))
            except Exception as error:  # noqa: BLE001 - handed to the caller, who tells it
                ended.error = error
            done.set()

        threading.Thread(target=work, daemon=True).start()
        try:
            settled = settles(done, self, limit, exhausted)
            ended.exhausted = not settled and exhausted.is_set()
            ended.given_up = not settled and not ended.exhausted
        except KeyboardInterrupt:
            ended.interrupted = True
            self._stop.set()
            with suppress(KeyboardInterrupt):
                done.wait(_GRACE)
        self._stop.set()
        if not done.is_set() or ended.error is not None:
            done.set()
            self._rescue(ended, finished, limit, exhausted)
        self.analyst.close()
        return ended

    def _rescue(
        self, ended: Ending, finished: list[int], limit: float, exhausted: threading.Event
    ) -> None:
        """Check what a hunt found that was broken off."""
        hunters = self.hunters[len(finished) :]
        if ended.exhausted or not any(hunter.judge.known for hunter in hunters):
            return
        done = threading.Event()

        def work() -> None:
            with suppress(Exception):  # the first mistake is told
                ended.results += [r for hunter in hunters for r in self._checked(hunter)]
            done.set()

        threading.Thread(target=work, daemon=True).start()
        with suppress(KeyboardInterrupt):
            settles(done, ended.results, min(limit, _GRACE), exhausted)

    def _hunt(self, space: Space, tell: Callable[[HuntJob], None]) -> None:
        budget, begun = self.budget, monotonic()

        def left(asked: int) -> bool:
            if budget.points is not None:
                return asked < budget.points
            return monotonic() - begun < (budget.seconds or 0.0)

        hunter = Hunter(space, Judge(space, self.analyst), self.seed, left, budget.points)
        self.hunters.append(hunter)
        for _ in hunter.run():
            tell(self)
            if self._stop.is_set():
                break

    def _checked(self, hunter: Hunter) -> list[Result]:
        """What a hunt found, shrunk and checked by everybody, the worst first."""
        judged, finds = hunter.judge.asked, hunter.finds
        told = hunt_notes(hunter, self.over, judged, finds) if finds else ()
        notes = tuple(told)
        results = []
        for find in finds:
            simple = find if self._stop.is_set() else shrunk(hunter.judge, find)
            result = next(self._full(hunter.space, simple))
            note = case_note(hunter.space, find, simple)
            mine = (*notes, note) if note else notes
            results.append(replace(result, notes=(*mine, *result.notes)))
            notes = ()
        return results

    def _full(self, space: Space, find: Judged) -> Iterator[Result]:
        """A point, checked as `check` does, its numbers written as short as may be."""
        texts = {n: shortest_text(v, space.dtype) for n, v in space.values(find.place).items()}
        point = {name: Exact(Fraction(text), text) for name, text in texts.items()}
        given = {**space.fixed, **point}
        groups = batches(space.question, [given], [(space.dtype, space.device)])
        return check_batches(groups, panel(self.analyst))

    def report(self, ended: Ending, command: Sequence[str], *, strict: bool) -> LiveReport:
        """The Report of what was found, and of what was not looked for."""
        from gradcheck_cli.checks.report import report_of
        from gradcheck_cli.records.versions import versions

        how = "interrupted" if ended.interrupted else "ended early"
        broken = ended.interrupted or ended.given_up or ended.exhausted or ended.error is not None
        judged = sum(hunter.judge.asked for hunter in self.hunters)
        problem = f"{how}: the hunt was broken off after {judged:,} points"
        return report_of(
            ended.results,
            strict=strict,
            command=command,
            environment=versions(),
            problems=[problem] if broken else [],
            interrupted=ended.interrupted,
            incomplete=broken and not ended.interrupted,
        )

    @property
    def progress(self) -> str:
        """How far the hunt is, in a line."""
        hunter = self.hunters[-1]
        most = f" of {hunter.most:,}" if hunter.most is not None else ""
        worst = hunter.finds[0] if hunter.judge.known else None
        so_far = "" if worst is None else f", {worst.outcome}"
        ulps = "" if worst is None or not 0 < worst.ulps < inf else f" {worst.ulps:.3g} ulp"
        return f"{hunter.space.dtype.name}: {hunter.judge.asked:,}{most} points{so_far}{ulps}"
