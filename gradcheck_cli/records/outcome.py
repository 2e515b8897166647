"""The words of a verdict: what came of a check, whether that is well, and why it came so.

Each member carries what every report needs to know of it, so that a new one is a line here and a
page in `docs/`. Members are texts: a record holds them as they are.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class Status(StrEnum):
    """Whether a checked case is as expected; worst first.

    Attributes:
        exit_code: what a command ends with where this is the worst.
        level: how loud services for code are to be: error, warning or none.
        words: in a summary, beside an outcome that has another status by itself.
        meaning: for the schema and the pages.
    """

    exit_code: int
    level: str
    words: str
    meaning: str

    # fmt: off
    ERROR =      "error",      3, "error",   "error",            "no verdict, exit code 3"
    FAIL =       "fail",       1, "error",   "failing",          "not as expected, exit code 1"
    UNVERIFIED = "unverified", 4, "warning", "not verified",     "nothing wrong, but something not verified, exit code 4"
    XFAIL =      "xfail",      0, "error",   "expected to fail", "it fails, as the suite foresees"
    SKIP =       "skip",       0, "none",    "skipped",          "not checked"
    PASS =       "pass",       0, "none",    "as expected",      "as expected"
    # fmt: on

    # The defaults are for the type checker, to which `Status("pass")` is a call of this.
    def __new__(
        cls, word: str, exit_code: int = 0, level: str = "", words: str = "", meaning: str = ""
    ) -> Status:
        """A word with what goes with it."""
        member = str.__new__(cls, word)
        member._value_, member.exit_code, member.level = word, exit_code, level
        member.words, member.meaning = words, meaning
        return member

    @property
    def rank(self) -> int:
        """0 for the worst."""
        return list(Status).index(self)

    @property
    def is_well(self) -> bool:
        """Whether it leaves the exit code at 0."""
        return self.exit_code == 0


# Exit code of a command that has nothing to say, of one whose report could not be written where it
# was wanted, and of one that Ctrl-C ended.
NOTHING_SELECTED, UNWRITTEN, INTERRUPTED = 5, 2, 130


_ERROR, _FAIL, _UNVERIFIED, _XFAIL, _SKIP, _PASS = Status


class Outcome(StrEnum):
    """What came of a check; worst first: a case's outcome is the worst of its partials.

    Attributes:
        rank: 0 for the worst.
        status: what it comes to by itself; `strict` what it comes to where the user is strict.
        severity: GitLab's word for it: blocker, critical, major, minor, info.
        style: Rich's style for the word.
        meaning: one sentence, for people.
    """

    rank: int
    status: Status
    strict: Status
    severity: str
    style: str
    meaning: str

    # fmt: off
    ERROR =        "error",        _ERROR,      _ERROR,      "blocker",  "bold red", "The check has no verdict: it crashed, or ran out of time or memory."
    WRONG =        "wrong",        _FAIL,       _FAIL,       "critical", "bold red", "torch's gradient is wrong: rounding does not explain its error."
    INCONCLUSIVE = "inconclusive", _UNVERIFIED, _UNVERIFIED, "major",    "magenta",  "Nothing could be shown of the gradient."
    UNDEFINED =    "undefined",    _UNVERIFIED, _UNVERIFIED, "major",    "magenta",  "No finite derivative exists at the point."
    DETACHED =     "detached",     _UNVERIFIED, _UNVERIFIED, "major",    "magenta",  "torch has no path from the input to the result."
    KINK =         "kink",         _PASS,       _FAIL,       "minor",    "yellow",   "There is no derivative at the point: left and right derivatives differ."
    IMPRECISE =    "imprecise",    _PASS,       _FAIL,       "minor",    "yellow",   "More than half the digits of torch's gradient are lost to rounding."
    AGREE =        "agree",        _PASS,       _PASS,       "info",     "green",    "torch's gradient is right, as far as the dtype can be."
    SKIPPED =      "skipped",      _SKIP,       _SKIP,       "info",     "yellow",   "The suite says not to check it."
    # fmt: on

    # The defaults are for the type checker, as those of Status.
    def __new__(
        cls,
        word: str,
        status: Status = Status.PASS,
        strict: Status = Status.PASS,
        severity: str = "",
        style: str = "",
        meaning: str = "",
    ) -> Outcome:
        """A word with what goes with it."""
        member = str.__new__(cls, word)
        member._value_, member.rank = word, len(cls.__members__)
        member.status, member.strict = status, strict
        member.severity, member.style, member.meaning = severity, style, meaning
        return member

    @property
    def is_verdict(self) -> bool:
        """Whether something was checked and judged."""
        return self not in (Outcome.ERROR, Outcome.SKIPPED)

    def status_when(self, *, strict: bool) -> Status:
        """What it comes to by itself."""
        return self.strict if strict else self.status


# The outcomes of what was checked, worst first.
OUTCOMES = tuple(outcome for outcome in Outcome if outcome.is_verdict)
# What a case comes to that has no verdict.
NO_VERDICT = (Outcome.ERROR, Outcome.SKIPPED)


def worst_outcome(outcomes: Iterable[Outcome]) -> Outcome:
    """The worst of some; `inconclusive` when there is none: nothing was shown."""
    return min(outcomes, key=lambda outcome: outcome.rank, default=Outcome.INCONCLUSIVE)


class Cause(StrEnum):
    """Why torch's answer is not the true derivative, or why there is none.

    Attributes:
        meaning: one sentence, for people.
    """

    meaning: str

    # fmt: off
    ROUNDING =             "rounding",             "The arithmetic of torch's formula rounds, and no step stands out."
    CANCELLATION =         "cancellation",         "A difference of nearly equal numbers leaves their rounding errors."
    OVERFLOW =             "overflow",             "A number is beyond the largest of the dtype."
    UNDERFLOW =            "underflow",            "A number is below the smallest of the dtype, and becomes 0."
    ABSORBED_CONSTANT =    "absorbed constant",    "A sum drops a term that is below the spacing of the other."
    KINK_WITHIN_ROUNDING = "kink within rounding", "Rounding takes a value across a kink, and torch's answer is the slope beyond it."
    OTHER_BRANCH =         "other branch",         "torch takes another branch than the one the exact numbers decide for."
    BRANCH_NOT_TAKEN =     "branch not taken",     "torch multiplies the slope of the branch not taken by 0, and that is infinite or NaN."
    FORMULA =              "formula",              "The formula that the backward computes is not the derivative."
    RAISED =               "raised",               "The backward raises an exception."
    NO_PATH =              "no path",              "torch has no path from the input to the result."
    MISSING_DERIVATIVE =   "missing derivative",   "torch has no derivative for a function, and leaves that part out."
    KINK =                 "kink",                 "Left and right derivatives differ."
    JUMP =                 "jump",                 "The value jumps at the point."
    POLE =                 "pole",                 "The value grows without bound at the point."
    VERTICAL_TANGENT =     "vertical tangent",     "The slope grows without bound at the point."
    OUTSIDE_DOMAIN =       "outside domain",       "The function has no value at the point, or on one side of it."
    LIMITED_APPROXIMATION = "limited approximation", "torch's own approximation of a function is not good enough here."
    UNKNOWN =              "unknown",              "What made the error is not known."
    # fmt: on

    def __new__(cls, word: str, meaning: str = "") -> Cause:
        """A word with what goes with it."""
        member = str.__new__(cls, word)
        member._value_, member.meaning = word, meaning
        return member
