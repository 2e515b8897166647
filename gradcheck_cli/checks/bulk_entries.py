"""Entries of a record for very many partials at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gradcheck_cli.records.outcome import Outcome
from gradcheck_cli.witnesses.autograd import Backward
from gradcheck_cli.witnesses.bulk_proof import entry_in_bulk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from gradcheck_cli.checks.result import Result
    from gradcheck_cli.questions.objectives import PartialKey
    from gradcheck_cli.records.record import Opinion, PartialRecord
    from gradcheck_cli.witnesses.bulk_proof import BulkProof


def partials_in_bulk(
    result: Result,
    proof: BulkProof,
    silent: Mapping[str, Opinion],
    whole: Callable[..., PartialRecord],
) -> Iterator[PartialRecord]:
    """Entries of very many partials of which next to all agree and are told by six numbers.

    Args:
        silent: what witnesses that abstain say of every partial.
        whole: makes the entry of any other, from its place, its verdict and `silent`.
    """
    backward = result.evidence.whole("autograd", Backward)
    assert backward is not None
    columns = (backward.numbers, proof.partials.value, proof.partials.radius)
    alike = _alike(result.evidence, silent)
    rows = zip(result.verdicts, *(column.tolist() for column in columns), strict=True)
    for k, (verdict, answer, value, radius) in enumerate(rows):
        if verdict.outcome is not Outcome.AGREE or verdict.truth is not None:
            yield whole(k, verdict, silent)
            continue
        entry = alike.copy()
        entry["variable"] = verdict.key.variable
        entry["index"] = list(verdict.key.index)
        entry["cause"] = verdict.cause
        entry["reason"] = verdict.reason
        entry["reference"] = entry_in_bulk(value, radius)
        entry["autograd"] = {
            "value": answer,
            "error": verdict.error,
            "relative_error": verdict.relative_error,
            "ulps": verdict.ulps,
            "tolerance": verdict.tolerance,
        }
        yield entry


def _alike(names: Iterable[str], silent: Mapping[str, Opinion]) -> PartialRecord:
    """The entry of a partial that agrees, with what is the same for each: a copy takes less than
    another dictionary.
    """
    return {
        **dict.fromkeys(("variable", "index", "output")),
        "outcome": Outcome.AGREE,
        "cause": None,
        "failed": False,
        "reason": "",
        "remedy": None,
        **{name: silent.get(name) for name in names},
        "one_sided": None,
    }


def key_entry(key: PartialKey) -> PartialRecord:
    """Which partial: of a second derivative the variables and indices are pairs."""
    variable: Any = key.variable
    index: list[Any] = list(key.index)
    if key.first is not None:
        variable, index = [key.first[0], variable], [list(key.first[1]), index]
    output = None if key.output is None else list(key.output)
    return {"variable": variable, "index": index, "output": output}
