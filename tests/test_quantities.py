"""Numbers from text: what each reader accepts, and what it says of all else."""

from __future__ import annotations

from fractions import Fraction

import pytest

from gradcheck_cli.language.errors import UserError
from gradcheck_cli.settings import quantities

GOOD = [
    ("count", "0", 0), ("count", "007", 7), ("count", " 12 ", 12), ("count", str(2**63 - 1), 2**63 - 1),
    ("jobs", "auto", None), ("jobs", "AUTO", None), ("jobs", "1", 1), ("jobs", "4096", 4096),
    ("shard", "1/1", (1, 1)), ("shard", "2/4", (2, 4)), ("shard", " 3 / 3 ", (3, 3)), ("shard", "1/100000", (1, 100_000)),
    ("seconds", "30", 30.0), ("seconds", ".5", 0.5), ("seconds", "2.", 2.0), ("seconds", "0.1", 0.1), ("seconds", "31536000", 31_536_000.0),
    ("size", "1B", 1), ("size", "500MB", 500 * 1000**2), ("size", "2GiB", 2 * 1024**3), ("size", "1.5 kib", 1536), ("size", "2kB", 2000), ("size", "1tb", 1000**4), ("size", "0.5TiB", 512 * 1024**3),
    ("tolerance", "0", 0.0), ("tolerance", "1e-6", 1e-6), ("tolerance", "2**-20", 2.0**-20), ("tolerance", "0x1p-3", 0.125),
    ("step", "1e-6", 1e-6), ("step", "1/3", 1 / 3),
]  # fmt: skip
COUNT = "--x takes a whole number from 0 to 9,223,372,036,854,775,807"
JOBS = "--x takes `auto` or a whole number from 1 to 4,096"
SHARD = "--x takes I/N with 1 <= I <= N <= 100,000, such as 2/4"
SECONDS = "--x takes a number above 0 and up to 31,536,000, such as 30 or 0.5"
SIZE = "--x takes a number with B, kB, MB, GB, TB (powers of 1,000) or KiB, MiB, GiB, TiB (powers of 1,024), such as 500MB or 2GiB"
BAD = {
    "count": (
        "count",
        COUNT,
        ["-1", "1.0", "1e3", "x", "²", "٣", "1_000", str(2**63), "9" * 5_000],
    ),
    "jobs": ("number of jobs", JOBS, ["0", "-1", "4097", "many", "1.5", "٣"]),
    "shard": (
        "shard",
        SHARD,
        ["0/4", "5/4", "1", "1/0", "0/0", "1/2/3", "a/b", "-1/2", "1/100001", f"1/{'9' * 5_000}"],
    ),
    "seconds": (
        "number of seconds",
        SECONDS,
        ["0", "-1", "0.0", "inf", "nan", "1e3", "5 s", "31536001", "٣", "9" * 5_000, "."],
    ),
    "size": (
        "size",
        SIZE,
        ["2", "0GB", "-1GB", "2G", "GB", "2XB", "inf GB", "0.1B", f"{'9' * 20}TB", "٣GB", ".GB"],
    ),
}
UNREADABLE = ["x", "-1", "inf", "nan", "[1]", "1:2:3", "1/0", ""]


@pytest.mark.parametrize(
    ("reader", "text", "value"), GOOD, ids=[f"{reader}-{text}" for reader, text, _ in GOOD]
)
def test_what_is_accepted(reader, text, value):
    """The number meant, in its plain unit."""
    found = getattr(quantities, reader)(text)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("reader", "text"),
    [(reader, text) for reader, (_, _, texts) in BAD.items() for text in texts],
    ids=lambda word: word[:20],
)
def test_what_is_refused_is_told_with_what_is_accepted(reader, text):
    """Under the name by which the user gave it; long texts are cut."""
    noun, accepted, _ = BAD[reader]
    with pytest.raises(UserError) as caught:
        getattr(quantities, reader)(text, "--x")
    told = text if len(text) <= 60 else f"{text[:59]}…"
    assert (
        str(caught.value) == f"error[bad-setting]: --x: `{told}` is no {noun}\n  = help: {accepted}"
    )


@pytest.mark.parametrize("reader", BAD)
def test_nothing_is_told_as_missing(reader):
    """An empty text is shown by no quotes around nothing."""
    noun, accepted, _ = BAD[reader]
    with pytest.raises(UserError) as caught:
        getattr(quantities, reader)(" ", "--x")
    assert (
        str(caught.value) == f"error[bad-setting]: --x: a {noun} is missing\n  = help: {accepted}"
    )


@pytest.mark.parametrize("text", UNREADABLE)
@pytest.mark.parametrize(
    ("reader", "wanted"), [("tolerance", "not negative"), ("step", "positive")]
)
def test_a_tolerance_or_step_that_is_none(reader, wanted, text):
    """In the words that `check` has for its options."""
    with pytest.raises(UserError) as caught:
        getattr(quantities, reader)(text, "--x")
    kind = "finite number" if text in ("inf", "nan") else "number"
    told = f"error[bad-number]: --x takes a {kind} that is {wanted}, and got `{text}`"
    assert str(caught.value) == told


def test_a_step_is_not_zero():
    """A tolerance may be."""
    with pytest.raises(UserError) as caught:
        quantities.step("0")
    assert (
        str(caught.value)
        == "error[bad-number]: --step takes a number that is positive, and got `0`"
    )


@pytest.mark.parametrize("text", ["1e400", "1e-400"])
def test_beyond_a_float64(text):
    """Neither infinity nor 0 is what was meant."""
    with pytest.raises(UserError) as caught:
        quantities.tolerance(text, "--x")
    assert str(caught.value) == "error[out-of-range]: --x is beyond what a float64 holds"


@pytest.mark.parametrize("name", ["MOST_JOBS", "MOST_SHARDS", "MOST_SECONDS", "MOST_BYTES", "MOST"])
def test_the_limits_are_reached_and_not_passed(name):
    """The largest number of each kind is accepted; the next is not."""
    most = getattr(quantities, name)
    texts = {
        "MOST_JOBS": ("jobs", "{}", most), "MOST_SHARDS": ("shard", "1/{}", (1, most)), "MOST_SECONDS": ("seconds", "{}", float(most)),
        "MOST_BYTES": ("size", "{}B", most), "MOST": ("count", "{}", most),
    }  # fmt: skip
    reader, words, value = texts[name]
    assert getattr(quantities, reader)(words.format(most)) == value
    with pytest.raises(UserError):
        getattr(quantities, reader)(words.format(most + 1))


def test_units_are_exact():
    """A tenth of a unit of 10 bytes or more comes to whole bytes, rounded down."""
    for unit, factor in {
        "kB": 1000,
        "KiB": 1024,
        "MB": 1000**2,
        "GiB": 1024**3,
        "TB": 1000**4,
    }.items():
        assert quantities.size(f"1.1{unit}") == int(Fraction("1.1") * factor)
