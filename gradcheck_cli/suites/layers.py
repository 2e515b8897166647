"""Settings of a case by their layers: the command line above, then the case, the defaults of its
file, and the configuration.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.judge.evidence import Tolerance
from gradcheck_cli.language.errors import Mistake, PointError, UserError, did_you_mean, elide
from gradcheck_cli.settings import quantities
from gradcheck_cli.suites.keys import DEVICE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gradcheck_cli.suites.kinds import Entry
    from gradcheck_cli.suites.spec import Layer

_BUILT_IN: Mapping[str, Any] = {
    "dtype": ("float64",),
    "device": ("cpu",),
    "exclude": (),
    "tags": (),
    "strict": False,
}


@dataclass(frozen=True)
class Stated:
    """A number, or a tolerance, with the words it was given in, by the names of the options."""

    value: Any
    given: tuple[tuple[str, str], ...]


def of_layer(layer: Layer, called: str, mistakes: list[Mistake]) -> dict[str, Any]:
    """What a layer sets, as `of_entries` gives it.

    Args:
        called: how a setting is called in a message, `{}` for its name.
        mistakes: gets what is wrong with the values.
    """
    found: dict[str, Any] = {}

    def read(name: str, reader: Callable[[str, str], Any], text: str | None) -> Any:
        try:
            return None if text is None else reader(text, called.format(name))
        except UserError as error:
            mistakes.extend(error.mistakes)
            return None

    found["dtype"] = read("dtype", _dtypes, layer.dtype)
    found["device"] = read("device", _devices, layer.device)
    found["wrt"] = tuple(_words(layer.wrt or "")) or None
    rtol, atol = (
        read("rtol", quantities.tolerance, layer.rtol),
        read("atol", quantities.tolerance, layer.atol),
    )
    if rtol is not None or atol is not None:
        found["tol"] = Stated(
            Tolerance(rtol or 0.0, atol or 0.0), _given(rtol=layer.rtol, atol=layer.atol)
        )
    step, seconds = (
        read("step", quantities.step, layer.step),
        read("timeout", quantities.seconds, layer.timeout),
    )
    found["step"] = None if step is None else Stated(step, _given(step=layer.step))
    found["timeout"] = None if seconds is None else Stated(seconds, ())
    found["strict"] = layer.strict
    return {name: value for name, value in found.items() if value is not None}


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _given(**texts: str | None) -> tuple[tuple[str, str], ...]:
    return tuple((name, text) for name, text in texts.items() if text is not None)


def _dtypes(text: str, name: str) -> tuple[str, ...]:
    bad = [word for word in _words(text) or [text] if word not in DTYPES]
    if bad:
        known = f"known: {', '.join(DTYPES)}"
        raise PointError(
            [
                Mistake(
                    "unknown-dtype",
                    f"no dtype named `{elide(word)}`",
                    help=did_you_mean(word, DTYPES) or known,
                )
                for word in bad
            ]
        )
    return tuple(dict.fromkeys(_words(text)))


def _devices(text: str, name: str) -> tuple[str, ...]:
    """Device names that are well formed; whether they are there is seen when they are used."""
    bad = [word for word in _words(text) or [text] if not re.fullmatch(DEVICE, word)]
    if bad:
        raise PointError(
            [
                Mistake(
                    "unknown-device",
                    f"no device named `{elide(word)}`",
                    help="known: cpu, cuda, cuda:N, all",
                )
                for word in bad
            ]
        )
    return tuple(dict.fromkeys(_words(text)))


def of_entries(found: Mapping[str, Entry]) -> dict[str, Entry]:
    """The keys of a case or of `defaults`, a matrix taken apart and numbers with the words they
    were given in.
    """
    entries = {name: entry for name, entry in found.items() if name != "matrix"}
    if "matrix" in found:
        entries |= found["matrix"].value or {}
    for name, convert in (
        ("tol", _tolerance),
        ("step", _step),
        ("timeout", _step),
        ("dtype", _once),
        ("device", _once),
    ):
        entry = entries.get(name)
        if entry is not None and entry.value is not None:
            entries[name] = entry._replace(value=convert(entry.value))
    return entries


def _once(values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))


def _step(value: tuple[float, str]) -> Stated:
    return Stated(value[0], (("step", value[1]),))


def _tolerance(value: Any) -> Stated | None:
    """A number is the relative tolerance; what is not said is 0."""
    parts = (
        {"rtol": value}
        if isinstance(value, tuple)
        else {name: entry.value for name, entry in value.items()}
    )
    if None in parts.values():
        return None
    numbers = {name: part[0] for name, part in parts.items()}
    given = tuple((name, parts[name][1]) for name in ("rtol", "atol") if name in parts)
    return Stated(Tolerance(numbers.get("rtol", 0.0), numbers.get("atol", 0.0)), given)


@dataclass(frozen=True)
class CaseLayers:
    """What holds for one case; of two layers that say something the upper one counts, key by key."""

    above: Mapping[str, Any]
    case: Mapping[str, Entry]
    defaults: Mapping[str, Entry]
    below: Mapping[str, Any]

    def entry(self, name: str) -> Entry | None:
        """What the file itself says."""
        return self.case.get(name) or self.defaults.get(name)

    def inherited(self, name: str) -> bool:
        """Whether the file says it for all cases."""
        return name not in self.case

    def __getitem__(self, name: str) -> Any:
        """The value; None where nothing is said, or nothing that could be read."""
        if name in self.above:
            return self.above[name]
        entry = self.entry(name)
        return entry.value if entry is not None else self.below.get(name, _BUILT_IN.get(name))
