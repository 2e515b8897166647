"""Surroundings that mean no good: files without an end, sizes that are none."""

from __future__ import annotations

import os
import subprocess
import sys
from io import BytesIO, StringIO, TextIOWrapper

import pytest
from clocks import HUNG
from suites import environment

from gradcheck_cli.language.errors import PointError
from gradcheck_cli.language.files import file_text, stream_text

# What a process may take of memory, torch apart, which these commands do not load.
ROOM = 2 << 30


def shell(line, folder, **variables):
    """A line of a shell in a folder, with `gradcheck` in it: exit code, stdout, stderr."""
    line = line.replace("gradcheck ", f"{sys.executable} -m gradcheck_cli ")
    done = subprocess.run(
        ["bash", "-c", line],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=HUNG,
        check=False,
        env=environment(**variables),
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("gradcheck @/dev/zero --at x=1", "@/dev/zero"),
        ("gradcheck - --at x=1 < /dev/zero", "-"),
        ("yes x+ | gradcheck - --at x=1", "-"),
        ("yes x+ > pipe & gradcheck @pipe --at x=1", "@pipe"),
        ("gradcheck report /dev/zero", "/dev/zero"),
        ("yes | gradcheck report -", "-"),
        ("gradcheck report huge", "huge"),
        ("gradcheck diff huge huge", "huge"),
        ("gradcheck merge huge", "huge"),
        ("gradcheck lint /dev/zero", "/dev/zero"),
        ("yes | gradcheck lint -", "-"),
        ("gradcheck run huge", "huge"),
        ("mv huge gradcheck.toml; gradcheck run x", "gradcheck.toml"),
        ("ln -s huge gradcheck.toml; gradcheck x --at x=1", "gradcheck.toml"),
    ],
)
def test_what_has_no_end_is_read_no_further_than_anything_may_be_long(line, name, tmp_path):
    """A device, a pipe, a file of 64 GiB that takes no place on the disk: told by name, with a
    limit; memory stays what it was.
    """
    os.mkfifo(tmp_path / "pipe")
    with (tmp_path / "huge").open("wb") as file:
        file.truncate(64 << 30)
    code, out, err = shell(f"ulimit -v {ROOM >> 10}; {line}", tmp_path)
    assert (code, out) == (2, "")
    assert err.startswith(f"error[too-large]: `{name}` has more than ")
    assert "Traceback" not in err


def test_a_limit_counts_characters_whatever_their_bytes(tmp_path):
    """Just as many as are accepted are read."""
    path = tmp_path / "text"
    path.write_bytes("∂é\r\nx\r".encode())
    assert file_text(path, 6) == "∂é\nx\n"
    assert file_text(path, 6, as_is=True) == "∂é\r\nx\r"
    assert stream_text(StringIO("∂éx"), 3, "-") == "∂éx"
    path.with_name("wide").write_text("𝑥" * 5, encoding="utf-8")
    assert file_text(path.with_name("wide"), 5) == "𝑥" * 5
    with pytest.raises(PointError, match="has more than 4 characters"):
        file_text(path.with_name("wide"), 4)
    for read in (lambda: file_text(path, 5), lambda: stream_text(StringIO("∂éxyzt"), 5, str(path))):
        with pytest.raises(PointError) as caught:
            read()
        assert str(caught.value) == (
            f"error[too-large]: `{path}` has more than 5 characters, and no more are read"
        )


@pytest.mark.parametrize("before", [0, 1, (1 << 20) - 2, (1 << 20) - 1, 1 << 20, 3 << 20])
@pytest.mark.parametrize("broken", [b"\xff", b"\xe2\x88", b"\xe2\x88x"])
def test_a_byte_that_is_no_text_is_told_with_its_place(before, broken, tmp_path):
    """In the whole file, however it is read in pieces."""
    path = tmp_path / "text"
    path.write_bytes(b"x" * before + broken)
    with pytest.raises(PointError) as caught:
        file_text(path, 1 << 30)
    with pytest.raises(UnicodeDecodeError) as true:
        path.read_bytes().decode()
    assert f"it is not UTF-8 (byte {true.value.start:,})" in str(caught.value)
    with pytest.raises(PointError, match="`-` cannot be read: it is not UTF-8"):
        stream_text(TextIOWrapper(BytesIO(path.read_bytes()), encoding="utf-8"), 1 << 30, "-")


@pytest.mark.parametrize("name", ["COLUMNS", "LINES"])
@pytest.mark.parametrize("size", ["²", "٣", "-1", "0", "", " 80", "8e1", "9" * 5_000, "9" * 7])
@pytest.mark.parametrize("words", [["exp(x)", "--at", "x=1"], ["--help"], ["run", "--help"]])
def test_a_size_that_is_none_counts_as_none(tool, name, size, words):
    """Told by nobody: the page is what it is without."""
    plain, odd = tool.run(words), tool.run(words, environment={name: size})
    assert (odd.returncode, odd.stdout, odd.stderr) == (0, plain.stdout, plain.stderr)


@pytest.mark.parametrize("size", [1, 2, 7, 40, 999_999])
def test_a_size_that_is_one_counts(tool, size):
    """However narrow: a line holds what cannot be broken."""
    done = tool.run(["exp(x)", "--at", "x=1"], environment={"COLUMNS": str(size)})
    assert (done.returncode, done.stderr) == (0, "")
    assert "e" in done.stdout


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("GRADCHECK_DTPYE", "did you mean `GRADCHECK_DTYPE`?"),
        ("GRADCHECK_MAXMEMORY", "did you mean `GRADCHECK_MAX_MEMORY`?"),
        ("GRADCHECK_TIMOUT", "did you mean `GRADCHECK_TIMEOUT`?"),
        ("GRADCHECK_STRICKT", "did you mean `GRADCHECK_STRICT`?"),
    ],
)
@pytest.mark.parametrize(
    "command", [["x", "--at", "x=1"], ["run", "no.yaml"], ["report", "no.json"]], ids="/".join
)
def test_a_variable_that_is_nearly_a_setting_is_told(tool, command, name, words):
    """On stderr, and the command goes on: it may be somebody else's all the same."""
    plain = tool.run(command)
    done = tool.run(command, environment={name: "float32"})
    assert (done.returncode, done.stdout) == (plain.returncode, plain.stdout)
    assert done.stderr == f"{name} is no setting; {words}\n{plain.stderr}"


@pytest.mark.parametrize("name", ["GRADCHECK_HOME", "GRADCHECK_DTYPE", "GRADCHECK_", "MY_DTPYE"])
def test_a_variable_that_is_somebody_elses_is_passed_over(tool, name):
    """As is one that sets something, and one that a command has no use for."""
    done = tool.run(["x", "--at", "x=1"], environment={name: "float64"})
    assert (done.returncode, done.stderr) == (0, "")


def test_the_page_of_settings_tells_a_slip_once(tool):
    """It is a note there."""
    done = tool.run(
        ["x", "--at", "x=1", "--show-settings"], environment={"GRADCHECK_DTPYE": "float32"}
    )
    assert done.stderr == ""
    assert done.stdout.count("GRADCHECK_DTPYE is no setting") == 1
