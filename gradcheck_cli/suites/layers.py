"""Settings of a case by their layers: the command line above, then the case, the defaults of its
file, and the configuration.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from gradcheck_cli.settings.table import ROWS, SETTINGS
from gradcheck_cli.settings.values import Said, repeated_words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gradcheck_cli.settings.values import Layer
    from gradcheck_cli.suites.kinds import Entry

# What the runs of a case and its inputs are made of; the others are kept as they are said.
_RESOLVED = ("dtype", "device", "wrt")
_KEPT = tuple(row for row in ROWS if row.suite and row.suite not in _RESOLVED)
_KEYS = tuple(dict.fromkeys(row.suite for row in ROWS if row.suite))
# Another name for the key of a meant gradient.
SURROGATE = "surrogate"
# Of keys that are no settings.
_BUILT_IN: Mapping[str, Any] = {"exclude": (), "tags": ()}


def by_keys(layer: Layer) -> dict[str, Any]:
    """What a layer says, by the keys of a suite: a Said, or several by the names of settings where
    settings of one key replace each other together.
    """
    found: dict[str, Any] = {}
    for row in ROWS:
        if row.suite and row.name in layer:
            said = layer[row.name]
            if row.suite == row.name:
                found[row.name] = said
            else:
                found.setdefault(row.suite, {})[row.name] = said
    return found


def of_entries(found: Mapping[str, Entry]) -> dict[str, Entry]:
    """The keys of a case or of `defaults`, a matrix taken apart, and values of settings with the
    words they were given in.
    """
    entries = {name: entry for name, entry in found.items() if name != "matrix"}
    if "matrix" in found:
        entries |= found["matrix"].value or {}
    if SURROGATE in entries:
        entries["backward-spec"] = entries.pop(SURROGATE)
    for name in _KEYS:
        entry = entries.get(name)
        if entry is not None and entry.value is not None:
            value = _once(entry.value) if name in _RESOLVED else _said(name, entry.value)
            entries[name] = entry._replace(value=value)
    return entries


def _once(values: tuple[str | None, ...]) -> tuple[str | None, ...]:
    return tuple(dict.fromkeys(values))


def _said(key: str, value: Any) -> Any:
    """What a key says, as `by_keys` gives it; a value alone is that of the key's first setting."""
    if isinstance(value, dict):
        said = {name: entry.value for name, entry in value.items()}
        return None if None in said.values() else said
    first = next(row.name for row in _KEPT if row.suite == key)
    return value if first == key else {first: value}


@dataclass(frozen=True)
class CaseLayers:
    """What holds for one case: of the layers that say something the uppermost, key by key."""

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
        if name not in self._stated:
            return SETTINGS[name].unsaid if name in SETTINGS else _BUILT_IN.get(name)
        found = self._stated[name]
        return found.value if isinstance(found, Said) else found

    @cached_property
    def _stated(self) -> dict[str, Any]:
        stated = dict(self.below)
        for entries in (self.defaults, self.case):
            stated.update((name, entry.value) for name, entry in entries.items())
        return stated | dict(self.above)

    def values(self) -> dict[str, Any]:
        """What is said of the case's other settings means, by their names."""
        return {name: said.value for name, said in self._settings.items()}

    def repeated(self) -> dict[str, tuple[str, ...]]:
        """As `repeated_words`."""
        return repeated_words(self._settings, self.below)

    @cached_property
    def _settings(self) -> Layer:
        found: Layer = {}
        for row in _KEPT:
            said = self._stated.get(row.suite)
            one = said.get(row.name) if isinstance(said, dict) else said
            if one is not None:
                found[row.name] = one
        return found
