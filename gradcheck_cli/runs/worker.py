"""What a worker process does: it takes batches of tasks from its parent and sends each finished
check back at once.
"""

from __future__ import annotations

import json
import pickle
from contextlib import closing
from typing import TYPE_CHECKING

from gradcheck_cli.lean import import_torch_lean
from gradcheck_cli.processes import DONE, READY
from gradcheck_cli.runs.desk import Desk

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gradcheck_cli.runs.task import Task


def items(batches: Iterator[bytes]) -> Iterator[bytes]:
    """For each batch its Items, each as soon as it is there, and DONE."""
    import_torch_lean()
    with closing(Desk()) as desk:
        desk.prepare()
        yield READY
        for batch in batches:
            tasks: Sequence[Task] = pickle.loads(batch)  # noqa: S301 - it is our own parent's
            yield from map(pickle.dumps, desk.check(tasks))
            yield DONE


def devices(questions: Iterator[bytes]) -> Iterator[bytes]:
    """The devices of this machine, unasked, as a JSON list of names."""
    from gradcheck_cli.questions.devices import devices_of

    yield json.dumps(devices_of(["all"])).encode()
