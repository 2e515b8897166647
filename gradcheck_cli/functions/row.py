"""What is stated of one function: a row of the function table.

A row is stated in exactly one of three ways:

- primitive: `sympy`, `arb` and exact `partials` (texts in the tool's own language);
- derived: `means`, what it is in the tool's own language; everything else follows;
- structural: `array`, stated once over NumPy object arrays of any scalar.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gradcheck_cli.functions.deviations import Approximation, Elsewhere

# What a setting (a keyword such as `dim` or `beta`) may hold. A `Fraction` came from a decimal
# literal and is rounded to the dtype by the world that uses it; an `int` is exact.
SettingValue: TypeAlias = "int | Fraction | float | bool | str | tuple[object, ...] | None"


class RowError(ValueError):
    """A row of the table contradicts itself."""


class CallError(ValueError):
    """A call that is refused for another reason than the shapes of its arguments; `code` is that of
    the user's mistake.
    """

    def __init__(self, message: str, code: str = "bad-argument") -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Parameter:
    """One name in a signature. `required` is False when `default` stands in for it; `kind` is
    "index" (integers, never differentiated), "held" (numbers that torch does not differentiate),
    "condition" (the result of a comparison) or "mask" (numbers to add; of a condition 0 where it
    holds, else -inf).
    """

    name: str
    required: bool = True
    default: SettingValue = None
    kind: str = ""


@dataclass(frozen=True)
class Signature:
    """`x, y; dim=None`: before the semicolon what is differentiated, after it constant settings.

    `*xs` takes any number of arguments; `target:index` takes integers, `c:condition` a comparison.
    """

    args: tuple[Parameter, ...]
    settings: tuple[Parameter, ...]
    variadic: bool

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of the arguments."""
        return tuple(parameter.name for parameter in self.args)


@dataclass(frozen=True)
class Function:
    """What is true of one function: meaning, domain, kinks, its torch name and pullback.

    Attributes:
        name: how the language calls it.
        signature: see `Signature`.
        torch: the real torch function; takes torch first, then the arguments, then settings by
            keyword.
        sympy: the same in SymPy; takes SymPy first. A primitive without it borrows its own
            `partials` there. A constant may have it too.
        arb: the same over `flint.arb` balls; NaN, and no exception, where there is no enclosure.
        partials: the exact partial for each argument, over the signature's names.
        series: the same over `flint.arb_series`, inside its domain and beside its kinks; without
            it, or where it answers None, the series is the integral of the partials.
        monotone: 1 where it rises wherever it is defined, -1 where it falls.
        means: the function in the tool's own language, or a function from settings to such a text.
        array: the same over NumPy object arrays; takes a `Toolkit` first.
        computes: what torch's forward evaluates, step by step, where that rounds otherwise than
            `means`, or where a row with a pullback is no one kernel; a text or a function from
            settings to one.
        pullback: what torch's backward evaluates for each argument, with `ybar` the cotangent and
            `y` the result; only where that is not simply `ybar` times the exact partial. Texts, or
            functions from settings to texts; an empty one says nothing for these settings.
        derivative: as `pullback`, as people write it; a function takes the arguments' shapes too.
        moves: True where the elements of the argument are put in other places, and no more.
        domain: expressions; the function is defined where all are > 0, undefined where one is < 0.
        kinks: expressions; the function is C1 where none is zero.
        jumps: True where the value itself may jump at a kink.
        germ: its series just beside a point; takes a `worlds.puiseux.Sides` first, then a `Puiseux`
            for each argument (True or False for a condition). Only where it does not follow from
            `arb`, `partials` and `kinks`: see `worlds.germs`.
        fields: its form at random points of a field; takes a `worlds.fields.Fields` first, then a
            `FieldValue` for each argument (True or False for a condition). Only where something is
            known of the function: without it, it is a random number for each value of its
            arguments, or what it is at the point where all its partials are 0.
        steep: its largest slopes near a point, one for each argument, as arrays; takes a library of
            arrays first (NumPy or torch), then the result, the arguments, and how far each may be
            off. Only where that does not follow from `partials`: see `worlds.bulk`.
        in_bulk: the same in the tool's own language, where it is `arb` but no library is trusted
            with it: what `worlds.bulk` computes. No number where that cancels.
        steady: `means` in a form that overflows no sooner than the result; as `means`.
        rounds: (c, m), how many roundings torch's result counts for: c of the value, m of the
            argument as the function passes it on.
        eliminates: True where torch solves linear systems with the first argument by elimination.
        aliases: other names for it.
        backward: False where torch evaluates the function but has no derivative for it.
        stops: True where that is meant: its value is that of its argument, its partial is stated to
            be 0, and what is checked is the gradient so stated.
        scalars: True where torch takes Python numbers beside the first argument.
        places: names of arguments and settings in the order in which a call takes them, where that
            is not the arguments first; what is missing there is called by its name. Of a function
            of many tensors what stands before these.
        further: the row that a call means where it gives what only that row has.
        folds: the binary function that several positional arguments mean (`max(x, y)` is
            `maximum`); that function says so of itself.
        operator: the sign that the language writes for it: infix, prefix, `[]` or `if`.
        mpmath: its value over mpmath's numbers, where that is not spelled as SymPy's form is; takes
            mpmath first, with `choose(c, x, y)` beside its functions.
        convention: what SymPy's form of it is at a kink, where `arb` says less: a text.
        latex: its name in LaTeX, or a form with `%s` for each argument.
        condition: True where the result is true or false, not a number.
        foreign: for a library (`np`), a part of one (`torch.linalg`), a name of one
            (`np.transpose`) or methods (`Tensor`) what the name means there, or a sentence why it
            is refused; the narrowest counts.
        answers: what torch names the several results that it answers; the row is the first of them,
            or has a setting `piece`, which an index behind the call sets.
        note: one sentence for `gradcheck functions NAME` of what the other fields leave unsaid.
        helper: other rows are made of it; it is no function that people write.
    """

    name: str
    signature: str
    torch: Callable[..., Any]
    sympy: Callable[..., Any] | None = None
    arb: Callable[..., Any] | None = None
    partials: tuple[str, ...] = ()
    series: Callable[..., Any] | None = None
    monotone: int = 0
    means: str | Callable[..., str] | None = None
    array: Callable[..., Any] | None = None
    computes: str | Callable[..., str] = ""
    pullback: tuple[str, ...] | Callable[..., tuple[str, ...]] = ()
    derivative: tuple[str, ...] | Callable[..., tuple[str, ...]] = ()
    moves: bool = False
    approximates: Callable[..., Approximation | None] | None = None
    domain: tuple[str, ...] = ()
    kinks: tuple[str, ...] = ()
    jumps: bool = False
    germ: Callable[..., Any] | None = None
    fields: Callable[..., Any] | None = None
    steep: Callable[..., tuple[Any, ...]] | None = None
    in_bulk: str = ""
    steady: Callable[..., str] | None = None
    rounds: tuple[int, int] = (2, 0)
    eliminates: bool = False
    aliases: tuple[str, ...] = ()
    backward: bool = True
    stops: bool = False
    scalars: bool = False
    places: tuple[str, ...] = ()
    further: str = ""
    folds: str = ""
    operator: str = ""
    mpmath: Callable[..., Any] | None = None
    convention: str = ""
    latex: str = ""
    condition: bool = False
    foreign: Mapping[str, Elsewhere | str] = field(default_factory=dict, compare=False)
    answers: tuple[str, ...] = ()
    note: str = field(default="", compare=False)
    helper: bool = False

    def __post_init__(self) -> None:
        ways = [self.arb is not None, self.means is not None, self.array is not None]
        if sum(ways) != 1:
            one = "primitive (arb), derived (means), structural (array)"
            raise RowError(f"{self.name}: state it as exactly one of {one}")
        if self.arb is not None and len(self.partials) != len(self.parsed.args):
            raise RowError(
                f"{self.name}: {len(self.parsed.args)} arguments but {len(self.partials)} partials"
            )
        of_primitives: tuple[object, ...] = (self.partials, self.germ, self.fields)
        of_primitives += (self.series, self.monotone, self.sympy and self.parsed.args)
        if self.arb is None and any(of_primitives):
            theirs = "`partials`, `germ`, `fields`, `series`, `monotone` and `sympy`"
            raise RowError(f"{self.name}: {theirs} belong to primitives; here they follow")
        for noun, texts in (("pullbacks", self.pulled_back({})), ("derivatives", self.derivative)):
            if isinstance(texts, tuple) and texts and len(texts) != len(self.parsed.args):
                raise RowError(
                    f"{self.name}: {len(self.parsed.args)} arguments but {len(texts)} {noun}"
                )

    @cached_property
    def parsed(self) -> Signature:
        """The signature, taken apart."""
        return _signature(self.signature)

    @property
    def kind(self) -> str:
        """`primitive`, `derived` or `structural`."""
        if self.arb is not None:
            return "primitive"
        return "derived" if self.means is not None else "structural"

    @property
    def has_pieces(self) -> bool:
        """Whether a setting says which of several results is meant."""
        return any(p.name == "piece" for p in self.parsed.settings)

    @property
    def is_extreme(self) -> bool:
        """Whether it is the larger or smaller of two, and applied again of any number."""
        return self.folds == self.name

    def meaning(self, settings: Mapping[str, SettingValue]) -> str:
        """The text of `means` for these settings."""
        if self.means is None:
            raise RowError(f"{self.name} is {self.kind}: it has no meaning in other functions")
        return self.means if isinstance(self.means, str) else self.means(**settings)

    def rounded_meaning(self, settings: Mapping[str, SettingValue]) -> str:
        """The text that says how torch's forward rounds."""
        text = self.computes if isinstance(self.computes, str) else self.computes(**settings)
        return text or self.meaning(settings)

    def pulled_back(self, settings: Mapping[str, SettingValue]) -> tuple[str, ...]:
        """The texts of `pullback` for these settings."""
        back = self.pullback
        return back if isinstance(back, tuple) else back(**self.bound(settings))

    def derived(self, shapes: Any, settings: Mapping[str, SettingValue]) -> tuple[str, ...]:
        """The texts of `derivative` for arguments of these shapes, and these settings."""
        texts = self.derivative
        return texts if isinstance(texts, tuple) else texts(shapes, **self.bound(settings))

    def approximation(self, settings: Mapping[str, SettingValue]) -> Approximation | None:
        """Where torch approximates the function at these settings, if anywhere."""
        return self.approximates and self.approximates(**self.bound(settings))

    def bound(self, settings: Mapping[str, SettingValue]) -> dict[str, SettingValue]:
        """All settings: the given ones over the signature's defaults."""
        return {p.name: settings.get(p.name, p.default) for p in self.parsed.settings}

    def numbers(self, settings: Mapping[str, SettingValue]) -> dict[str, int | Fraction | float]:
        """Those of all settings that are numbers: a meaning or a pullback may use them by name."""
        bound = self.bound(settings).items()
        return {
            name: value
            for name, value in bound
            if isinstance(value, int | Fraction | float) and not isinstance(value, bool)
        }


@cache
def _signature(text: str) -> Signature:
    head, _, tail = text.partition(";")
    args = [_parameter(part.strip()) for part in _commas(head) if part.strip()]
    settings = tuple(_parameter(part.strip()) for part in _commas(tail) if part.strip())
    variadic = bool(args) and args[-1].name.startswith("*")
    if variadic:
        args[-1] = Parameter(args[-1].name.lstrip("*"))
    return Signature(tuple(args), settings, variadic)


def _commas(text: str) -> list[str]:
    return text.replace("(", " ").replace(")", " ").split(",")


def _parameter(text: str) -> Parameter:
    name, has_default, default = text.partition("=")
    name, _, kind = name.strip().partition(":")
    return Parameter(
        name.strip(),
        not has_default,
        _default(default.strip()) if has_default else None,
        kind.strip(),
    )


def _default(text: str) -> SettingValue:
    words: dict[str, SettingValue] = {"None": None, "True": True, "False": False}
    words |= {"inf": float("inf"), "-inf": float("-inf")}
    if text in words:
        return words[text]
    if text[0] in "'\"":
        return text.strip("'\"")
    return Fraction(text) if any(c in text for c in ".e") else int(text)
