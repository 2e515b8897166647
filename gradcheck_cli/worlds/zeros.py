"""Numbers that closed forms do not prove to be zero, while somebody is asked who may know more."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from gradcheck_cli.worlds.closed_programs import program_of, result_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gradcheck_cli.language.program import Program
    from gradcheck_cli.worlds.closed_forms import ClosedForm

# Given a program as of `program_of`, whether its first output is 0; balls say that it may be.
ZeroTest: TypeAlias = "Callable[[Program], bool]"


@dataclass
class ZeroInquiry:
    """What is asked of zeros, and what came of it.

    Attributes:
        test: who is asked; None for nobody.
        is_open: a number was met that neither its ball nor its closed form tells from zero.
    """

    test: ZeroTest | None
    is_open: bool = False
    _known: dict[Any, bool] = field(default_factory=dict)
    _answers: dict[str, bool] = field(default_factory=dict)

    @property
    def zeros(self) -> list[str]:
        """What is zero by the test, as texts."""
        return [text for text, answer in self._answers.items() if answer]

    def is_zero(self, form: ClosedForm) -> bool:
        """Whether a form is zero by the test; it is asked once, of all multiples too."""
        self.is_open = True
        if self.test is None:
            return False
        key = frozenset(form.above.items())
        if key not in self._known:
            program = program_of(form)
            self._known[key] = program is not None and self._answer(self.test, program)
        return self._known[key]

    def _answer(self, test: ZeroTest, program: Program) -> bool:
        text = result_text(program)
        if text not in self._answers:
            self._answers[text] = test(program)
        return self._answers[text]


_INQUIRY: ContextVar[ZeroInquiry | None] = ContextVar("zero inquiry", default=None)


@contextmanager
def zero_inquiry(test: ZeroTest | None) -> Iterator[ZeroInquiry]:
    """While somebody is asked."""
    begun = ZeroInquiry(test)
    before = _INQUIRY.set(begun)
    try:
        yield begun
    finally:
        _INQUIRY.reset(before)


def is_zero_elsewhere(form: ClosedForm) -> bool:
    """Whether a closed form that does not come to nothing, of a number in a ball around 0, is zero
    by whom is asked now, if anybody is.
    """
    current = _INQUIRY.get()
    return current is not None and current.is_zero(form)
