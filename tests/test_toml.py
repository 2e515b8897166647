"""Where keys and values of a TOML text stand, held against Python's own reader of TOML."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradcheck_cli.language.errors import Span, UserError
from gradcheck_cli.settings.toml import TomlFile, TomlPlace, display_path, places

# The same examples every time, on every machine.
FIXED = settings(derandomize=True, database=None, deadline=None)

ROOT = Path(__file__).parents[1]

TEXTS = [
    "", "\n\n# only a comment", "a = 1", "a=1#c\nb =\t2 # c\n", "[t]\na = 1\n[t.u]\nb = 2\n[v]\n", "[ t . u ]\na.b = 1\na . c = 2\n",
    'a = "x # y"\nb = \'x " # y\'\nc = "say \\"a\\" = 1"\n', '"a.b" = 1\n\'c d\' = 2\n"\\u0065" = 3\n"" = 4\n["q\'q"]\nx = 1\n',
    'a = """\n[t]\nb = 1\n"""\nb = \'\'\'\n# no comment\nc = 1\'\'\'\n', 'a = """x"""""\nb = \'\'\'y\'\'\'\'\'\n', 'a = """\\\n  x\\"""y"""\nb = 1\n',
    "a = [1, [2, 3], # c\n 4,\n]\nb = [ ]\nc = [\"x,]\", 'y']\n", "a = {b = 1, c.d = [2, {e = 3}], f = {}}\n", "a = {b = 'x}', c = \"#\"} # c\nd = 1",
    "[[t]]\na = 1\n[[t]]\na = 2\n[t.u]\nb = 1\n[[t.w]]\nc = 1\n", "[[t]]\n[[t]]\n[[t]]\n", "a = 1979-05-27 07:32:00\nb = 1979-05-27T07:32:00Z # c\nc = 07:32:00\nd = 1979-05-27 07:32:00.5-07:00\n",
    "a = +1_000.5e-3\nb = inf\nc = -nan\nd = 0xff\ne = true\nf = false\n", "[a]\n[a.b]\n[c]\n", "a.b.c = 1\na.b.d = 2\n", "[a]\nb.c = 1\n[a.d]\ne = 1\n",
    "a = [{b = 1}, {b = 2, c = [3]}]\n", "a = 1\r\nb = 2\r\n[c]\r\nd = 3\r\n", (ROOT / "pyproject.toml").read_text(encoding="utf-8"),
]  # fmt: skip


def differences(text):
    """What our places say otherwise than Python's reader, as addresses."""
    found, document = places(text), tomllib.loads(text)
    known = dict(walk(document, ()))
    wrong = [address for address in set(known) ^ set(found) if isinstance(address[-1], str)]
    for address, place in found.items():
        name = text[slice(*place.key)]
        if tomllib.loads(f"{name} = 1") != {address[-1]: 1}:
            wrong.append(address)
        words = text[slice(*place.value)]
        if (
            not isinstance(known.get(address), dict | list)
            or "=" in text[place.key.end : place.value.start]
        ):
            value = tomllib.loads(f"x = {words}")["x"]
            # repr: NaN is not equal to itself
            if repr(value) != repr(known.get(address)):
                wrong.append(address)
            items = [tomllib.loads(f"x = {text[slice(*item)]}")["x"] for item in place.items]
            if repr(items) != repr(value if isinstance(value, list) else []):
                wrong.append(address)
    return wrong


def walk(value, address):
    """(address, value) of every key below a value."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield (*address, name), inner
            yield from walk(inner, (*address, name))
    elif isinstance(value, list):
        for k, inner in enumerate(value):
            yield from walk(inner, (*address, k))


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_every_key_and_value_is_where_it_is_said_to_be(text):
    """Each read again from its place alone, by Python's reader, is the key and the value of the
    whole.
    """
    assert differences(text) == []


STRINGS = st.text(st.sampled_from("ab#[]{}=,.'\" \\n"), max_size=6)
SCALARS = st.one_of(
    STRINGS.map(lambda s: '"' + s.replace("\\", "\\\\").replace('"', '\\"') + '"'),
    STRINGS.filter(lambda s: "'" not in s).map(lambda s: f"'{s}'"),
    STRINGS.map(lambda s: '"""\n' + s.replace("\\", "\\\\").replace('"', '\\"') + '\n"""'),
    st.sampled_from(["1", "-0.5e3", "true", "nan", "1979-05-27 07:32:00", "0b11"]),
)
BLANKS = st.sampled_from(["", " ", "\n", " # ] } c\n", "\t"])
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(st.tuples(BLANKS, inner, BLANKS).map("".join), max_size=3).map(
            lambda items: f"[{','.join(items)}]"
        ),
        st.lists(inner, max_size=3).map(
            lambda items: "{" + ", ".join(f"k{k} = {item}" for k, item in enumerate(items)) + "}"
        ),
    ),
    max_leaves=6,
)
LINES = st.lists(st.one_of(VALUES, st.sampled_from(["[t", "[[a"])), max_size=6)


@FIXED
@given(LINES)
def test_random_texts_are_read_as_python_reads_them(lines):
    """Keys are numbered, so that none is given twice."""
    text = "".join(
        f"[t{k}.u]\n" if line == "[t" else "[[a.b]]\n" if line == "[[a" else f"'k.{k}' . \"m\" = {line} # c\n"
        for k, line in enumerate(lines)
    )  # fmt: skip
    assert differences(text) == []


def test_a_wrong_place_is_seen(monkeypatch):
    """The comparison can fail: a place that is off by one, and one that is missing."""
    right = places("abc = [1, 2]\n")
    assert right == {("abc",): TomlPlace(Span(0, 3), Span(6, 12), (Span(7, 8), Span(10, 11)))}
    for lie in (
        {("abc",): TomlPlace(Span(0, 2), *right["abc",][1:])},
        {("abc",): TomlPlace(Span(0, 3), Span(6, 12), (Span(7, 8),))},
        {},
    ):
        monkeypatch.setitem(globals(), "places", lambda text, lie=lie: lie)
        assert differences("abc = [1, 2]\n") == [("abc",)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a = 1\nb 2\n", "error[bad-toml]: `x.toml` is not TOML: Expected '=' after a key in a key/value pair\n --> x.toml:2:3\n  | b 2\n  |   ^"),
        ("a = 1\na = 2\n", "error[bad-toml]: `x.toml` is not TOML: Cannot overwrite a value\n --> x.toml:2:6\n  | a = 2\n  |      ^"),
        ("[a\n", "error[bad-toml]: `x.toml` is not TOML: Expected ']' at the end of a table declaration\n --> x.toml:1:3\n  | [a\n  |   ^"),
        ("a = [1,\n", "error[bad-toml]: `x.toml` is not TOML: Invalid value\n --> x.toml:1:8\n  | a = [1,\n  |        ^"),
        (f"a = {'1' * 5_000}", "error[bad-toml]: `x.toml` is not TOML: Exceeds the limit (4300 digits) for integer string conversion: value has 5000 digits; use sys.set_int_max_str_digits() to increase the limit"),
        (f"a = {'[' * 100_000}", "error[bad-toml]: `x.toml` is nested too deeply"),
    ],
)  # fmt: skip
def test_a_broken_file_is_told_with_its_place(text, message, tmp_path, monkeypatch):
    """Line and column are those that Python's reader tells."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.toml").write_text(text, encoding="utf-8")
    with pytest.raises(UserError) as caught:
        _ = TomlFile(tmp_path / "x.toml").document
    assert str(caught.value) == message


def test_no_depth_ends_in_a_traceback(tmp_path):
    """Whether Python's reader or ours is the first to give up."""
    for depth in range(300, 520, 4):
        (tmp_path / "x.toml").write_text(f"a = {'[' * depth}{']' * depth}", encoding="utf-8")
        file = TomlFile(tmp_path / "x.toml")
        try:
            assert file.document["a"] is not None
            assert file.places["a",].key == Span(0, 1)
        except UserError as error:
            assert str(error).endswith("is nested too deeply")  # either is right


def test_what_is_not_text_cannot_be_read(tmp_path, monkeypatch):
    """A folder, and bytes that are no UTF-8."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.toml").write_bytes(b"a = '\xff'")
    for path, reason in (
        (tmp_path / "x.toml", "it is not UTF-8 (byte 5)"),
        (tmp_path / "none.toml", "No such file or directory"),
    ):
        with pytest.raises(UserError) as caught:
            _ = TomlFile(path).document
        assert str(caught.value) == f"error[unreadable]: `{path.name}` cannot be read: {reason}"


def test_a_byte_order_mark_and_windows_line_ends_are_accepted(tmp_path):
    """As an editor on Windows writes them; a place counts the lines that an editor counts."""
    (tmp_path / "x.toml").write_bytes(b"\xef\xbb\xbfa = 1\r\nb = 2.50\r\n")
    file = TomlFile(tmp_path / "x.toml")
    assert file.document == {"a": 1, "b": "2.50"}
    assert file.line(file.places["b",].key) == 2


def test_a_path_is_told_from_the_working_directory(tmp_path, monkeypatch):
    """Or in full, where that is shorter."""
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    monkeypatch.chdir(deep)
    assert display_path(deep / "x.toml") == "x.toml"
    assert display_path(tmp_path / "x.toml") == str(Path("..", "..", "x.toml"))
    assert display_path(Path("/x.toml")) == "/x.toml"
