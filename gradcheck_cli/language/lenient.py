"""Formulas as people paste them, read where the strict reading fails: the same Program as that of
the strict text that they are spelled as, or the corrected programs of what has two meanings.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from gradcheck_cli.language.errors import Mistake, ProgramError, Span
from gradcheck_cli.language.grammar import Grammar
from gradcheck_cli.language.latex import is_latex, latex_tokens
from gradcheck_cli.language.naming import Naming, split
from gradcheck_cli.language.parse import parse
from gradcheck_cli.language.settling import Settling
from gradcheck_cli.language.source import tidy
from gradcheck_cli.language.statements import read_statements
from gradcheck_cli.language.terms import spelled
from gradcheck_cli.language.token import Illegible, Token
from gradcheck_cli.language.tokens import Tokens, bars_apart

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from gradcheck_cli.language.cursor import Doubt
    from gradcheck_cli.language.program import Program
    from gradcheck_cli.language.terms import Spelling

# So many doubts are told, and corrected programs of so many characters.
_MOST, _LONGEST = 10, 2_000
# How far from a program a text is by its mistakes: a sign that is not read hides all behind it.
_DISTANCES = {"syntax": 10_000, "unsupported-syntax": 10_000, "too-deep": 10_000}


def read_pasted(text: str, strict: ProgramError, ranks: Mapping[str, int]) -> Program:
    """The program that a text means which is not the language's.

    Args:
        strict: what the strict reading says of it.
        ranks: how many dims each name has, as far as that is known.
    Raises:
        ProgramError: `strict`, where nothing else is to be said; what has two meanings, with
            corrected programs; the mistakes that are left.
    """
    text = tidy(text)
    best: ProgramError | None = None
    try:
        for tokens in _arrangements(text):
            try:
                return _read(tokens, text, strict, ranks)
            except Illegible as error:
                best = best or _refusal(error, text)
            except ProgramError as error:
                best = best or error
    except Illegible as error:
        best = _refusal(error, text)
    except RecursionError:
        pass
    raise best or strict from None


def _arrangements(text: str) -> Iterator[list[Token]]:
    """Its tokens, in each way that bars may be paired.

    Raises:
        Illegible: it has none.
    """
    tokens = _tokens(text)
    yield tokens
    if any(token.text == "||" for token in tokens):
        yield bars_apart(tokens)


def _refusal(error: Illegible, text: str) -> ProgramError | None:
    """What a text is refused with in words of its own."""
    if not str(error):
        words = "this formula of LaTeX is not complete, or holds what is not read"
        whole = Mistake("syntax", words, text, Span(0, len(text)))
        return ProgramError([whole]) if is_latex(text) else None
    return ProgramError([Mistake("unsupported-syntax", str(error), text, error.span, error.help)])


def _read(
    tokens: Sequence[Token], text: str, strict: ProgramError, ranks: Mapping[str, int]
) -> Program:
    """As `read_pasted`, of tokens."""
    reading = _Reading(tokens)
    if reading.doubts:
        candidates = reading.candidates(ranks)
        if not candidates:
            raise Illegible
        raise ProgramError(_ambiguous(reading.doubts, text, candidates))
    spelling = reading.spelled(0, ranks)
    try:
        program = parse(spelling.text)
    except ProgramError as error:
        instead = _taken_apart(tokens, error)
        if not instead and _distance(error) >= _distance(strict):
            raise Illegible from None
        mistakes = _at_home(error, spelling, text)
        mistakes[-1] = replace(mistakes[-1], instead=instead)
        raise ProgramError(mistakes) from None
    return replace(program, written=text)


def _taken_apart(tokens: Sequence[Token], error: ProgramError) -> tuple[str, ...]:
    """Programs in which an unknown function is a product, as `x*sin(x)` for `xsin(x)`."""
    if any(mistake.code != "unknown-function" for mistake in error.mistakes):
        return ()
    naming = Naming(tokens)
    return _candidates(split(tokens, naming.seen, naming))


def corrected(
    text: str, known: Collection[str], ranks: Mapping[str, int] | None = None
) -> tuple[str, ...]:
    """Programs that a text may have meant whose names are several known ones side by side: `x*y`
    for `xy`.

    Args:
        ranks: how many dims each of them has, if that is known.
    """
    try:
        tokens = _tokens(tidy(text))
    except (Illegible, RecursionError):
        return ()
    candidates = _candidates(split(tokens, known, Naming(tokens)), ranks)
    return tuple(each for each in candidates if set(parse(each).variables) <= {*known})


def _candidates(tokens: Sequence[Token], ranks: Mapping[str, int] | None = None) -> tuple[str, ...]:
    try:
        return _Reading(tokens).candidates(ranks)
    except (Illegible, RecursionError):
        return ()


def product_of_matrices(program: Program, ranks: Mapping[str, int]) -> Mistake | None:
    """What is wrong with a pasted text in which a product without a sign was read as that of
    elements, and is one of matrices where its inputs have so many dims.
    """
    for reading in _readings(tidy(program.written)):
        meant = reading.spelled(0, ranks).text
        if reading.spelled().text == program.text and meant != program.text and _is_strict(meant):
            known = {*reading.products({})}
            place = next((p for p in reading.products(ranks) if p not in known), None)
            words = "a product without a sign is one of matrices where one of its factors is"
            way_out = "element by element is written `*`"
            return Mistake("ambiguous", words, program.written, place, way_out, instead=(meant,))
    return None


def _readings(text: str) -> Iterator[_Reading]:
    """What its tokens say, where they say something."""
    with suppress(Illegible, RecursionError):
        for tokens in _arrangements(text):
            with suppress(Illegible, RecursionError):
                yield _Reading(tokens)


class _Reading:
    """What tokens say."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        grammar = Grammar(tokens, Naming(tokens))
        self.statements, self.breaks = read_statements(grammar)
        self.doubts: Sequence[Doubt] = grammar.doubts

    def spelled(self, pick: int = 0, ranks: Mapping[str, int] | None = None) -> Spelling:
        """The strict text; of what is in doubt the meaning of that number."""
        return spelled(Settling(pick, ranks).all(self.statements), self.breaks)

    def products(self, ranks: Mapping[str, int]) -> list[Span]:
        """Places of the products without a sign that are those of matrices."""
        settling = Settling(0, ranks)
        settling.all(self.statements)
        return settling.products

    def candidates(self, ranks: Mapping[str, int] | None = None) -> tuple[str, ...]:
        """The strict texts of the meanings that the language accepts."""
        texts = dict.fromkeys(self.spelled(pick, ranks).text for pick in (0, 1))
        return tuple(each for each in texts if _is_strict(each))


def _tokens(text: str) -> list[Token]:
    return latex_tokens(text) if is_latex(text) else Tokens(text).all()


def _is_strict(text: str) -> bool:
    try:
        parse(text)
    except ProgramError:
        return False
    return True


def _ambiguous(doubts: Sequence[Doubt], text: str, candidates: tuple[str, ...]) -> list[Mistake]:
    """A mistake for each doubt; the last one shows the corrected programs."""
    first = {doubt.span: doubt for doubt in reversed(doubts[:_MOST])}
    found = [Mistake("ambiguous", d.message, text, d.span) for d in reversed(first.values())]
    short = tuple(each for each in candidates if len(each) <= _LONGEST)
    return [*found[:-1], replace(found[-1], instead=short)]


def _distance(error: ProgramError) -> int:
    return sum(_DISTANCES.get(mistake.code, 1) for mistake in error.mistakes)


def _at_home(error: ProgramError, spelling: Spelling, text: str) -> list[Mistake]:
    """Mistakes of the strict text at their places in the pasted one."""
    spans = [mistake.span and spelling.source(mistake.span) for mistake in error.mistakes]
    return [
        replace(mistake, text=text, span=Span(*span) if span else None)
        for mistake, span in zip(error.mistakes, spans, strict=True)
    ]
