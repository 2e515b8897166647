"""A hunt on its way, in a thread, until its budget ends or something else ends it."""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import dataclass, field
from math import inf
from time import monotonic
from typing import TYPE_CHECKING

from gradcheck_cli.checks.watch import settles
from gradcheck_cli.hunting.finals import finals
from gradcheck_cli.hunting.hunt import Hunter
from gradcheck_cli.hunting.judging import Judge

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gradcheck_cli.checks.report import LiveReport
    from gradcheck_cli.hunting.finals import Final
    from gradcheck_cli.hunting.space import Space
    from gradcheck_cli.settings.quantities import Quota
    from gradcheck_cli.symbolic.client import Analyst

# Seconds that a hunt has to come to an end of its round after Ctrl-C.
_GRACE = 10.0


@dataclass
class HuntEnding:
    """How hunts came out: what was found, and why they ended early, if they did."""

    finals: list[Final] = field(default_factory=list)
    interrupted: bool = False
    given_up: bool = False
    exhausted: bool = False
    error: Exception | None = None

    @property
    def is_whole(self) -> bool:
        """Whether the hunts went to their end."""
        return not (self.interrupted or self.given_up or self.exhausted or self.error)


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
        """Something that grows as long as a hunt goes on."""
        return sum(hunter.judge.asked + hunter.screened for hunter in self.hunters)

    def watched(
        self, tell: Callable[[HuntJob], None], limit: float, exhausted: threading.Event
    ) -> HuntEnding:
        """Hunt in a thread, so that this one hears Ctrl-C and the clock while torch is inside a
        long call. What was found until then is checked all the same.

        Args:
            tell: called after each round.
            limit: seconds without a point judged or screened after which the hunt is given up.
            exhausted: ends the hunt when it is set: there is no more memory to be taken.
        """
        ended, done = HuntEnding(), threading.Event()
        checked: list[Hunter] = []

        def work() -> None:
            try:
                for space in self.spaces:
                    if self._stop.is_set():
                        break
                    self._hunt(space, tell)
                    found = self._finals(self.hunters[-1])
                    if done.is_set():
                        return
                    ended.finals += found
                    checked.append(self.hunters[-1])
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
            self._rescue(ended, [h for h in self.hunters if h not in checked], exhausted)
        self.analyst.close()
        return ended

    def _rescue(
        self, ended: HuntEnding, hunters: Sequence[Hunter], exhausted: threading.Event
    ) -> None:
        """Check what a hunt found that was broken off."""
        if ended.exhausted:
            return
        done = threading.Event()

        def work() -> None:
            with suppress(Exception):  # the first mistake is told
                ended.finals += [final for hunter in hunters for final in self._finals(hunter)]
            done.set()

        threading.Thread(target=work, daemon=True).start()
        with suppress(KeyboardInterrupt):
            settles(done, ended.finals, _GRACE, exhausted)

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

    def _finals(self, hunter: Hunter) -> list[Final]:
        """What a hunt found; as it is where it must end."""
        shrink = not self._stop.is_set()
        return list(finals(hunter, self.analyst, self.over, shrink=shrink))

    def report(self, ended: HuntEnding, command: Sequence[str], *, strict: bool) -> LiveReport:
        """The Report of what was found, and of what was not looked for."""
        from gradcheck_cli.checks.report import report_of
        from gradcheck_cli.records.versions import versions

        how = "interrupted" if ended.interrupted else "ended early"
        judged = sum(hunter.judge.asked for hunter in self.hunters)
        problem = f"{how}: the hunt was broken off after {judged:,} points"
        report = report_of(
            [final.result for final in ended.finals],
            strict=strict,
            command=command,
            environment=versions(),
            problems=[] if ended.is_whole else [problem],
            interrupted=ended.interrupted,
            incomplete=not ended.is_whole and not ended.interrupted,
        )
        for record, final in zip(report.records, ended.finals, strict=True):
            if final.command:
                record["reproduce"] = f"{final.command} --strict" if strict else final.command
        return report

    @property
    def progress(self) -> str:
        """How far the hunt is, in a line."""
        hunter = self.hunters[-1]
        most = f" of {hunter.most:,}" if hunter.most is not None else ""
        worst = hunter.finds[0] if hunter.judge.known else None
        so_far = "" if worst is None else f", {worst.outcome}"
        ulps = "" if worst is None or not 0 < worst.ulps < inf else f" {worst.ulps:.3g} ulp"
        return f"{hunter.space.dtype.name}: {hunter.judge.asked:,}{most} points{so_far}{ulps}"
