"""Suite files: the whole text of every message, its place, and the limits on what is read."""

from __future__ import annotations

import ast
import gc
import re
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest
import suite_function_messages
import suite_messages
import suite_point_messages
import suite_value_messages
import yaml
from clocks import HUNG
from each import each
from suite_messages import X, one

from gradcheck_cli import suites
from gradcheck_cli.language.errors import UserError
from gradcheck_cli.settings.values import Layer
from gradcheck_cli.suites import yaml as reading
from gradcheck_cli.suites.read import read_suites

MESSAGES = {
    **suite_messages.YAML,
    **suite_messages.KEYS,
    **suite_value_messages.VALUES,
    **suite_value_messages.PROGRAMS,
    **suite_point_messages.POINTS,
    **suite_value_messages.EXPECTATIONS,
    **suite_function_messages.FUNCTIONS,
}


def read(text, file="a.yaml"):
    """The one suite of a text."""
    (suite,) = read_suites([(file, text)], Layer(), Layer())
    return suite


def said(text, file="a.yaml"):
    """What is said of a text that is refused."""
    with pytest.raises(UserError) as caught:
        read(text, file)
    return str(caught.value)


def mistakes(text):
    """The mistakes in a text; none where it is accepted."""
    try:
        read(text)
    except UserError as error:
        return error.mistakes
    return ()


@each("text", MESSAGES, ids=lambda text: repr(text.removeprefix(suite_messages.HEAD))[:40])
def test_a_message_says_what_and_where(text):
    """The whole text, all mistakes in one go and in the order of the file."""
    assert said(text) == MESSAGES[text]


@each("text", MESSAGES, ids=lambda text: repr(text.removeprefix(suite_messages.HEAD))[:40])
def test_a_place_is_that_of_the_characters_shown(text):
    """LINE:COLUMN counts to the characters that carets stand under."""
    lines = text.split("\n")
    for mistake in mistakes(text):
        line, column = map(int, mistake.place.split(":")[1:])
        shown = mistake.text[mistake.span.start : mistake.span.end].split("\n")[0]
        assert lines[line - 1][column - 1 :].startswith(shown)
        assert mistake.text in lines[line - 1]


def test_a_place_that_is_off_by_one_is_noticed():
    """The comparison above can fail."""
    (mistake,) = mistakes(one("exper: x\nat: {x: 1}"))
    line, column = map(int, mistake.place.split(":")[1:])
    assert (
        not one("exper: x\nat: {x: 1}")
        .split("\n")[line - 1][column:]
        .startswith(mistake.text[slice(*mistake.span)])
    )


def codes(tree):
    """First arguments, as far as they are written out, of what makes a mistake."""
    makers = {"add_mistake", "add_misfit", "Mistake", "_stop", "Phrase", "Choice", "Whole"}
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and getattr(node.func, "id", getattr(node.func, "attr", "")) in makers
            and node.args
            and isinstance(node.args[0], ast.Constant)
        ):
            yield node.args[0].value


def test_every_error_code_has_a_message_tested():
    """A new code without a test fails here."""
    found = {
        code
        for path in Path(suites.__file__).parent.glob("*.py")
        for code in codes(ast.parse(path.read_text(encoding="utf-8")))
    }
    # These need a text that is too long to be written down, settings from outside the file, or a
    # file that is not there; their tests stand below, in `test_suite_layers` and `test_run`.
    elsewhere = {"too-many", "too-deep", "too-large", "no-suite", "unreadable"}
    assert len(found) > 30
    assert {
        code
        for code in found - elsewhere
        if not any(f"error[{code}]" in text for text in MESSAGES.values())
    } == set()


def test_all_mistakes_of_all_files_come_at_once():
    """Files in the order they were given, each mistake once though two cases share the node."""
    shared = "version: 1\ndefaults: {dtype: quarter}\ncases: [{expr: x, at: {x: 1}}, {expr: x*y, at: {x: 1, y: 2}}]\n"
    with pytest.raises(UserError) as caught:
        read_suites(
            [("b.yaml", shared), ("a.yaml", "version: 3\ncases: 1\n"), ("c.yaml", one(X))],
            Layer(),
            Layer(),
        )
    assert [mistake.place for mistake in caught.value.mistakes] == [
        "b.yaml:2:19",
        "a.yaml:1:10",
        "a.yaml:2:8",
    ]


@pytest.mark.parametrize(
    "text", MESSAGES, ids=lambda text: repr(text.removeprefix(suite_messages.HEAD))[:40]
)
def test_without_libyaml_the_same_is_said(text, monkeypatch):
    """PyYAML's own reader; of what is no YAML it has words of its own."""
    fast = [(m.code, m.place) for m in mistakes(text)]
    monkeypatch.setattr(reading, "_LOADER", yaml.SafeLoader)
    slow = [(m.code, m.place) for m in mistakes(text)]
    assert [code for code, _ in slow] == [code for code, _ in fast]
    assert slow == fast or "bad-yaml" in dict(fast)


@pytest.mark.parametrize(
    ("before", "after"), [("\n", "\r\n"), ("\n", "\r"), ("version", "\ufeffversion")]
)
def test_line_ends_and_a_byte_order_mark_change_no_place(before, after):
    """Windows, old Macs, and editors that begin with U+FEFF."""
    text = one("expr: |\n  y = x\n  sin(y, 2)\nat: {x: 1, y: 2}")
    assert said(text.replace(before, after)) == said(text)
    assert read(one(X).replace(before, after)).cases == read(one(X)).cases


def test_yaml_is_that_of_version_1_2():
    """`no` and `on` are texts, `1e-7` a number, and what stands in quotes is a text."""
    suite = read(one("expr: no*on*y\nat: {no: 1e-7, on: 0x10, y: '1_000'}\nid: on\nskip: no"))
    (case,) = suite.cases
    assert (case.id, case.skip) == ("a.yaml::on", "no")
    assert [(exact.text, exact.value) for exact in case.points[0].values()] == [
        ("1e-7", pytest.approx(1e-7)),
        ("0x10", 16),
        ("1_000", 1000),
    ]
    assert said(one(X + "skip: True")).startswith("error[wrong-type]")
    assert said(one(X + "skip: ~")).startswith("error[wrong-type]")


def test_a_number_is_exact():
    """0.1 is one tenth, whatever YAML's own reader would make of it."""
    (case,) = read(one("expr: x\nat: {x: [0.1, 12345678901234567890.1, -0.0]}")).cases
    assert [(point["x"].value * 10, point["x"].negative_zero) for point in case.points] == [
        (1, False),
        (123456789012345678901, False),
        (0, True),
    ]


def test_anchors_repeat_mappings_and_lists():
    """What is written once may stand in many cases."""
    suite = read(one("expr: x*y\nat: &here {x: 1, y: [2, 3]}") + "  - {expr: x + y, at: *here}\n")
    assert [len(case.points) for case in suite.cases] == [2, 2]


def test_an_alias_bomb_is_refused_in_a_moment():
    """Nine levels of ten aliases each are a billion values."""
    lines = ["x0: &x0 [1, 1]"] + [
        f"x{n}: &x{n} [{', '.join([f'*x{n - 1}'] * 10)}]" for n in range(1, 10)
    ]
    assert said("\n".join(lines)).startswith(
        "error[too-large]: the aliases of this file repeat more than 100,000 values\n --> a.yaml:6:"
    )


def test_aliases_do_not_nest_deeper_than_brackets():
    """A chain of anchors, each 30 levels inside the next."""
    lines = ["x0: &x0 [1]"] + [f"x{n}: &x{n} {'[' * 30}*x{n - 1}{']' * 30}" for n in range(1, 4)]
    assert said("\n".join(lines)).startswith(
        "error[too-deep]: lists and mappings are nested more than 64 deep\n --> a.yaml:4:"
    )


@pytest.mark.parametrize("bracket", ["[", "{a: ", "- "])
def test_a_hundred_thousand_brackets_are_refused_in_a_moment(bracket):
    """Depth is counted while the file is read: libyaml alone takes 16 s for these."""
    assert said(bracket * 100_000).startswith(
        "error[too-deep]: lists and mappings are nested more than 64 deep\n --> a.yaml:1:"
    )


@pytest.mark.parametrize(
    ("name", "least", "message"),
    [
        (
            "MAX_FILE_LENGTH",
            48,
            "error[too-large]: the file has 48 characters; 47 are accepted\n --> a.yaml:1:1",
        ),
        ("MAX_VALUES", 12, "error[too-large]: the file has more than 11 values\n --> a.yaml:5:1"),
        (
            "MAX_DEPTH",
            4,
            "error[too-deep]: lists and mappings are nested more than 3 deep\n --> a.yaml:4:9",
        ),
    ],
)
def test_a_file_that_is_too_large_is_refused(name, least, message, monkeypatch):
    """At the limit it is read, above it is not."""
    monkeypatch.setattr(reading, name, least)
    read(one(X))
    monkeypatch.setattr(reading, name, least - 1)
    assert said(one(X)).startswith(message)


def test_mistakes_are_told_up_to_a_limit():
    """The last says that there are more, at the place of the next."""
    text = "version: 1\ncases:\n" + "- {expr: y, at: {y: 1}, q: 1}\n" * 1_500
    found = mistakes(text)
    assert len(found) == 1_000
    assert str(found[-1]).startswith(
        "error[too-many]: there are more than 999 mistakes; here is the next\n --> a.yaml:1002:25\n"
    )


def test_a_mistake_that_cases_share_is_told_once():
    """In the defaults, a matrix that leaves no run to any of 1,500 cases; it does not fill the
    limit either.
    """
    text = (
        "version: 1\ndefaults: {matrix: {exclude: [{device: cpu}]}}\ncases:\n"
        + "- {expr: y, at: {y: 1}}\n" * 1_500
        + "- {expr: y, at: {y: x}}\n"
    )
    assert [(mistake.code, mistake.place) for mistake in mistakes(text)] == [
        ("empty-matrix", "a.yaml:2:21"),
        ("bad-number", "a.yaml:1504:21"),
    ]


@pytest.mark.parametrize("on", [True, False])
def test_the_garbage_collector_is_left_as_it_was(on):
    """It rests while files are read, and goes on whether or not they are refused."""
    (gc.enable if on else gc.disable)()
    try:
        read(one(X))
        said("")
        assert gc.isenabled() is on
    finally:
        gc.enable()


def test_a_long_line_is_cut_around_its_place():
    """A file of one line of 40,000 characters."""
    text = f"{{version: 1, cases: [{', '.join(['{expr: x, at: {x: 1}}'] * 1_800)}, {{expr: x, at: {{y: 1}}}}]}}"
    assert all(len(line) < 250 for line in said(text).splitlines())


def test_the_same_program_is_parsed_once():
    """Cases of one text share it."""
    text = "version: 1\ncases:\n" + "- {expr: x**2 + 12345*x, at: {x: 1}}\n" * 50
    first, *others = read(text).cases
    assert all(case.program is first.program for case in others)


def test_cases_say_where_they_stand_and_what_they_are_called():
    """FILE::NAME; the file's own name where a suite has none."""
    suite = read(
        "version: 1\n" + one(X + "id: a").split("\n", 1)[1] + "  - {expr: x, at: {x: 1}}\n",
        "some/where/b.c.gradcheck.yaml",
    )
    assert (suite.name, suite.file) == ("b.c", "some/where/b.c.gradcheck.yaml")
    assert [(case.id.split("::")[1], str(case.place).split("/")[-1]) for case in suite.cases] == [
        ("a", "b.c.gradcheck.yaml:3:5"), ("case-2", "b.c.gradcheck.yaml:6:5")
    ]  # fmt: skip
    assert read("version: 1\nname: n\n" + one(X).split("\n", 1)[1]).name == "n"


def test_reading_loads_neither_torch_nor_sympy_nor_flint():
    """`gradcheck lint` is this and nothing else; flint only where a point is irrational."""
    text = one(
        "expr: sum(sigmoid(x @ W)**2)\nat: {x: [[1, 2]], W: {tensor: [[1], [2]]}}\nexpect: {value: {interval: [0, 1]}, partials: {x: [1, 2]}}"
    )
    code = f"import sys\nfrom gradcheck_cli.suites.read import read_suites\nfrom gradcheck_cli.settings.values import Layer\nread_suites([('a', {text!r})], Layer(), Layer())\nprint([name for name in ('torch', 'sympy', 'flint') if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=HUNG, check=True
    )
    assert done.stdout == "[]\n"


def garbled(text, random):
    """A text with a few characters cut, doubled or replaced."""
    for _ in range(random.randint(1, 3)):
        i, j = sorted(random.randrange(len(text)) for _ in range(2))
        piece = text[i : min(j, i + random.randint(1, 12))]
        text = random.choice(
            [
                text[:i] + text[i + len(piece) :],
                text[:j] + piece + text[j:],
                text[:i] + random.choice("{}[],:&*!|>'\"%@`#\t\n -?0x~e.ü漢") + text[i:],
            ]
        )
    return text


@pytest.mark.parametrize("seed", range(8))
def test_a_garbled_file_is_read_or_refused_and_nothing_else(seed):
    """Never a traceback, and every place lies in the file."""
    random = Random(seed)  # noqa: S311 - a fixed seed is wanted
    texts = sorted(MESSAGES)
    for _ in range(60):
        text = garbled(random.choice(texts) or one(X), random)
        for mistake in mistakes(text):
            line, column = map(int, re.fullmatch(r"a\.yaml:(\d+):(\d+)", mistake.place).groups())
            lines = text.replace("\r", "\n").split("\n")
            assert 1 <= line <= len(lines)
            assert 1 <= column <= len(lines[line - 1]) + 1
            assert str(mistake).startswith(f"error[{mistake.code}]: ")
