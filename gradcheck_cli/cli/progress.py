"""How far a run is: count, rate and current case on stderr, on a terminal only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Callable


class Progress:
    """A bar that costs nothing where it is not shown."""

    def __init__(self, total: int, *, shown: bool) -> None:
        self._bar: Any = None
        self._task: Any = None
        if shown:
            self._bar = _bar()
            self._task = self._bar.add_task("", total=total, case="")

    def show(self, done: int, case: Callable[[], str]) -> None:
        """So many are done, the last of them this one."""
        if self._bar is not None:
            self._bar.update(self._task, completed=done, case=case())

    def __enter__(self) -> Self:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()


def _bar() -> Any:
    from rich import progress
    from rich.console import Console

    return progress.Progress(
        progress.BarColumn(),
        progress.MofNCompleteColumn(),
        _Rate(progress),
        progress.TimeRemainingColumn(),
        progress.TextColumn("{task.fields[case]}", markup=False),
        console=Console(stderr=True),
        transient=True,
    )


def _Rate(progress: Any) -> Any:  # noqa: N802 - a column, made where Rich is at hand
    class Rate(progress.ProgressColumn):  # type: ignore[misc]  # Rich is imported late
        def render(self, task: Any) -> Any:
            from rich.text import Text

            speed = task.finished_speed or task.speed
            return Text(f"{speed:.0f}/s" if speed else "")

    return Rate()
