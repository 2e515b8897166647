"""What is said of the settings: in which words, on which layer, and what it means."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from gradcheck_cli.language.errors import Mistake, UserError
from gradcheck_cli.settings.table import FLAG, ROWS, SETTINGS, settings_of

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Mapping

    from gradcheck_cli.settings.table import Setting, Text

# Words for a flag in a variable: those that Typer reads.
FLAGS = {
    **dict.fromkeys(("1", "true", "t", "yes", "y", "on"), True),
    **dict.fromkeys(("0", "false", "f", "no", "n", "off"), False),
}


class Said(NamedTuple):
    """What somebody says of a setting: the text as Typer takes it, and what it means."""

    text: Text
    value: Any


# What is said in one place, by the names of the settings.
Layer: TypeAlias = dict[str, Said]
# What is wrong with texts that mean nothing, by the names of their settings.
Unread: TypeAlias = dict[str, tuple[Mistake, ...]]


@dataclass(frozen=True)
class Settings:
    """What holds: each setting's value is an attribute, `settings.max_memory`; where nothing is
    said, or nothing that can be read, it is what is built in.

    Attributes:
        above: what the command line and variables say, which holds whatever a suite says.
        below: what the configuration file says, which holds where a suite is silent.
        unread: what is wrong with the words of the command line.
    """

    above: Layer = field(default_factory=dict)
    below: Layer = field(default_factory=dict)
    unread: Unread = field(default_factory=dict)

    def said(self, name: str) -> Said | None:
        """What counts of what is said of a setting; None where nothing is."""
        return self.above.get(name) or self.below.get(name)

    def __getattr__(self, key: str) -> Any:
        row = SETTINGS.get(key.replace("_", "-"))
        if row is None:
            raise AttributeError(key)
        said = self.said(row.name)
        return row.unsaid if said is None else said.value

    @property
    def mistakes(self) -> list[Mistake]:
        """All that is wrong."""
        return [mistake for mistakes in self.unread.values() for mistake in mistakes]

    def require_readable(self) -> None:
        """Nothing, if every word can be read.

        Raises:
            UserError: with every mistake.
        """
        if self.unread:
            raise UserError(self.mistakes)

    def repeated(self) -> dict[str, tuple[str, ...]]:
        """As `repeated_words`."""
        return repeated_words({**self.below, **self.above}, self.below)

    def command(self, command: str) -> list[str]:
        """A command in the words that its results depend on, in one order: the same checks are
        told by the same words.
        """
        words = [command, *self.suites]
        for row in settings_of(command):
            said = self.said(row.name)
            if row.matters and row.words and said is not None:
                words += row.spoken(said.text)
        return words


def repeated_words(said: Layer, configured: Container[str]) -> dict[str, tuple[str, ...]]:
    """What the command that reproduces a check repeats of what is said, by the names of settings:
    no words where it is the check itself that gives them.

    Args:
        configured: the settings of the configuration file. They are told even where they are what
            is built in, so that the file does not decide.
    """
    words: dict[str, tuple[str, ...]] = {}
    for row in ROWS:
        if row.repeated == "as checked" and row.name in configured:
            words[row.name] = ()
        elif row.repeated == "as given" and row.name in said:
            text = said[row.name].text
            if text is not False or row.name in configured:
                words[row.name] = tuple(row.spoken(text))
    return words


def run_again_words(above: Layer) -> tuple[str, ...]:
    """What the command that runs a case of a suite again repeats of what stands above the suite;
    the suite and the configuration file hold for it as they did.
    """
    rows = (row for row in settings_of("run") if row.repeated != "never" and row.name in above)
    return tuple(word for row in rows for word in row.spoken(above[row.name].text))


def read_layer(texts: Mapping[str, Text], unread: Unread, called: str = "--{}") -> Layer:
    """What texts mean, in the order of the table.

    Args:
        texts: by the names of settings.
        unread: gains what is wrong.
        called: how a setting is called in a message, `{}` for its name.
    """
    return _read(
        {row.name: texts[row.name] for row in ROWS if row.name in texts},
        lambda row: called.format(row.name),
        unread,
    )


def read_variables(command: str, environment: Mapping[str, str], unread: Unread) -> Layer:
    """What the variables of a command's settings say; an empty one counts as unset, and one of a
    setting that repeats is split at blanks.
    """
    texts: dict[str, Text] = {}
    wrong: Unread = {}
    for row in settings_of(command):
        text = environment.get(row.variable, "") if row.variable else ""
        if not text:
            continue
        if row.kind is not FLAG:
            texts[row.name] = text.split() if row.kind.repeats else text
        elif text.lower() in FLAGS:
            texts[row.name] = FLAGS[text.lower()]
        else:
            message = f"{row.variable}: `{text}` is neither yes nor no"
            way_out = "1, true, yes or on; 0, false, no or off"
            wrong[row.name] = (Mistake("bad-setting", message, help=way_out),)
    layer = _read(texts, lambda row: row.variable, wrong)
    for row in ROWS:
        if row.name in wrong:
            unread[row.name] = tuple(_named(m, row.variable) for m in wrong[row.name])
    return layer


def _read(texts: Mapping[str, Text], call: Callable[[Setting], str], unread: Unread) -> Layer:
    layer: Layer = {}
    for name, text in texts.items():
        row = SETTINGS[name]
        try:
            layer[name] = Said(text, row.read(text, call(row)))
        except UserError as error:
            unread[name] = error.mistakes
    return layer


def _named(mistake: Mistake, variable: str) -> Mistake:
    """A mistake that says which variable it is in."""
    if mistake.message.startswith(variable):
        return mistake
    return replace(mistake, message=f"{variable}: {mistake.message}")
