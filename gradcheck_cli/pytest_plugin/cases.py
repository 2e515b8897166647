"""What the pytest plugin asks of a suite: cases on the devices there are, names for items."""

from __future__ import annotations

from dataclasses import replace
from os.path import relpath
from typing import TYPE_CHECKING

from gradcheck_cli.settings.file import preset_of
from gradcheck_cli.settings.values import Settings
from gradcheck_cli.suites.files import read_sources
from gradcheck_cli.suites.over import require_swept_as_asked
from gradcheck_cli.suites.read import read_suites

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from gradcheck_cli.suites.spec import SuiteCase


def read_cases(path: Path, start: Path, present: Callable[[], list[str]]) -> list[SuiteCase]:
    """The cases of a suite, with `all` put as the devices there are, over the configuration of its
    folder.

    Args:
        start: the folder that the file's name is relative to in ids and messages.
        present: the devices of this machine, asked for where a case wants them all.
    Raises:
        UserError: with every mistake in the file or in its configuration.
    """
    file = preset_of("run", path.parent, {}).file
    (suite,) = read_suites(read_sources([relpath(path, start)], str), {}, file)
    require_swept_as_asked(suite.cases, ())
    return [
        on_devices(case, present()) if any(device == "all" for _, device in case.runs) else case
        for case in suite.cases
    ]


def allowed_by(path: Path) -> tuple[str, ...]:
    """What the configuration of a suite's folder lets suites have imported."""
    found: tuple[str, ...] = Settings(below=preset_of("run", path.parent, {}).file).allow_import
    return found


def on_devices(case: SuiteCase, present: list[str]) -> SuiteCase:
    """A case on the devices there are, in the place of `all`; skipped if it leaves out each."""
    runs = dict.fromkeys(
        (dtype, device)
        for dtype, name in case.runs
        for device in (present if name == "all" else [name])
        if not any(exclusion.covers(dtype, device) for exclusion in case.excluded)
    )
    if runs:
        return replace(case, runs=tuple(runs))
    reason = f"it leaves out every device that is present: {', '.join(present)}"
    return replace(case, skip=case.skip or reason)


def item_name(case: SuiteCase, dtype: str, device: str, taken: set[str]) -> str:
    """The case's name with what tells its runs apart, without brackets and colons.

    Args:
        taken: names that other items have; this one is added.
    """
    dtypes, devices = {run[0] for run in case.runs}, {run[1] for run in case.runs}
    parts = [dtype] * (len(dtypes) > 1) + [device.replace(":", "")] * (len(devices) > 1)
    name = full = "-".join((case.id.rpartition("::")[2], *parts))
    number = 1
    while name in taken:
        number += 1
        name = f"{full}-{number}"
    taken.add(name)
    return name


def marker_of(tag: str) -> str:
    """A tag as a marker: a name of Python's that begins with no underscore, as pytest wants it."""
    word = tag.replace("-", "_")
    return f"tag{word}" if word.startswith("_") else word
