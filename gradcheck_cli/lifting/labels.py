"""What names and labels of a script claim: `dfdx`, `x_grad_manual`, "df/dx:"."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

_NAME = r"[^\W\d]\w*"
# A label's numerator may be missing, or be in words.
_FRACTION = re.compile(
    rf"(?<!\w)(?:d|∂|grad_)(?P<of>(?:{_NAME})?)\s*(?:\([^()]*\))?\s*/\s*(?:d|∂)(?P<by>{_NAME})"
)
_WITH_RESPECT = re.compile(
    rf"(?:of\s+(?P<of>{_NAME})\s+)?(?:w\.?r\.?t\.?|with respect to)\s+(?P<by>{_NAME})"
)
_WORD = re.compile(r"[^\W\d]\w*")
# Words of a name that say who computed it, and those that say it is an estimate.
_BY_HAND = (
    "manual", "manually", "hand", "by", "analytic", "analytical", "expected", "true", "exact",
    "theory", "theoretical", "mine", "my", "ours", "own", "computed", "calc", "calculated",
    "formula", "ref", "reference", "np", "numpy", "check", "ana", "val", "value",
)  # fmt: skip
_ESTIMATED = (
    "num", "numeric", "numerical", "numerically", "fd", "finite", "approx", "estimate", "est",
    "central", "diff",
)  # fmt: skip
_BY_TORCH = ("auto", "autograd", "torch", "pytorch", "pt", "autodiff")
# Words for a derivative that names nothing.
_DERIVATIVES = ("grad", "gradient", "grads", "deriv", "derivative", "prime", "slope")
_ESTIMATING_TEXT = re.compile(r"numeric|finite|approx|estimat|difference", re.IGNORECASE)
# What stands before the place at which a derivative is taken: "df/dx at x =".
_AT = re.compile(
    rf"(?:\b(?:at|for|when|where|with)\b|[(,;])\s*(?:{_NAME}\s*)?[=:]?\s*$", re.IGNORECASE
)
# A decoration of a tensor's name beside the number that it is made of.
_SUFFIX = re.compile(r"_?(?:t|torch|tensor|pt|val|value|np|num|hand|manual|var|0)$")


class ClaimTarget(NamedTuple):
    """What is claimed: `by` is empty for the only input; `of` for the value of the program."""

    of: str
    by: str


def label_of(text: str) -> ClaimTarget | None:
    """What the last label in a text claims; None of one without a label."""
    found = [*_FRACTION.finditer(text), *_WITH_RESPECT.finditer(text)]
    if found:
        last = max(found, key=lambda match: match.end())
        return ClaimTarget(last["of"] or "", last["by"])
    words = [word for word in _WORD.findall(text) if _is_derivative_word(word)]
    target = target_of(words[-1], ()) if words else None
    return target if target is not None and target.by else None


def _is_derivative_word(word: str) -> bool:
    parts = set(word.split("_"))
    return len(parts) > 1 and bool(parts & {"grad", "prime", "deriv"})


def is_estimate(text: str) -> bool:
    """Whether a text says that a number beside it is a finite difference."""
    return bool(_ESTIMATING_TEXT.search(text))


def is_place(text: str) -> bool:
    """Whether a text is followed by the point rather than by a derivative."""
    return bool(_AT.search(text))


def bare_name(name: str) -> str:
    """A name without what tells a tensor from the number it is made of."""
    return _SUFFIX.sub("", name) or name


def target_of(name: str, known: Collection[str]) -> ClaimTarget | None:
    """What a variable's name claims; None of one that is no derivative's.

    Args:
        known: names of the script, which say where `dydx` is to be taken apart.
    """
    parts = name.split("_")
    if {part.lower() for part in parts} & {*_ESTIMATED, *_BY_TORCH}:
        return None
    kept = [part for part in parts if part and part.lower() not in _BY_HAND]
    core = "_".join(kept)
    return next(filter(None, _readings(core, kept, known)), None)


def estimated(name: str, known: Collection[str]) -> bool:
    """Whether a variable's name says that it is an estimate of a derivative."""
    kept = [part for part in name.split("_") if part.lower() not in _ESTIMATED]
    is_less = len(kept) < len(name.split("_"))
    target = target_of("_".join(kept), known) if is_less and kept else None
    return target is not None and (target.by in known or not target.by)


def _readings(core: str, parts: list[str], known: Collection[str]) -> Iterator[ClaimTarget | None]:
    if not parts:
        return
    if len(parts) == 1 and core.lower() in _DERIVATIVES:
        yield ClaimTarget("", "")
    if match := re.fullmatch(rf"[d∂]({_NAME}?)_?[d∂]_?({_NAME})", core):
        yield from _split(core, known)
        if "_" in core or not known:
            yield ClaimTarget(match[1], match[2])
    if match := re.fullmatch(rf"(?:grad|d|deriv|derivative|gradient)_({_NAME})", core):
        yield from (
            ClaimTarget(of, by) for of, by in _halves(match[1]) if of in known and by in known
        )
        yield ClaimTarget("", match[1])
    if match := re.fullmatch(rf"({_NAME})_(?:grad|gradient|deriv|derivative)", core):
        yield ClaimTarget("", match[1])
    for match in re.finditer(rf"(?<=_)(?:grad|deriv|derivative|gradient)_({_NAME})$", core):
        yield from (ClaimTarget("", by) for by in (match[1],) if by in known)
    for match in re.finditer(rf"^({_NAME}?)_(?:grad|deriv|derivative|gradient)_", core):
        yield from (ClaimTarget("", by) for by in (match[1],) if by in known)
    if match := re.fullmatch(rf"({_NAME})_prime(?:_({_NAME}))?", core):
        yield ClaimTarget(match[1], match[2] or "")
    if match := re.fullmatch(rf"[d∂]({_NAME})_({_NAME})", core):
        yield ClaimTarget(match[1], match[2])
    if (match := re.fullmatch(rf"[d∂]({_NAME})", core)) and match[1] in known:
        yield ClaimTarget("", match[1])


def _split(core: str, known: Collection[str]) -> Iterator[ClaimTarget]:
    """Each way in which `dydx` is one name over another, both known, or the lower one."""
    pairs = [
        (core[1:k].rstrip("_"), core[k + 1 :].lstrip("_"))
        for k in range(2, len(core) - 1)
        if core[k] in "d∂"
    ]
    yield from (ClaimTarget(of, by) for of, by in pairs if of in known and by in known)
    yield from (ClaimTarget(of, by) for of, by in pairs if by in known)


def _halves(words: str) -> Iterator[tuple[str, str]]:
    parts = words.split("_")
    return (("_".join(parts[:k]), "_".join(parts[k:])) for k in range(1, len(parts)))
