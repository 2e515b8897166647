"""`gradcheck run --watch`: suites are checked again when what is read has changed. Tests wait for
what is said, and for nothing else.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from clocks import HUNG
from suites import environment, written

from gradcheck_cli.cli import watching
from gradcheck_cli.language.errors import UserError, mistake
from gradcheck_cli.runs import changes
from gradcheck_cli.runs.changes import suite_texts, wait_for, watched_folders

GOOD, WRONG = "{expr: x**2, at: {x: 3}}", "{expr: sqrt(x**2), at: {x: 0}}"
WAITING = "watching {}; Ctrl-C ends it\n"


class Watched:
    """`gradcheck run . --watch` in a folder, both streams in one pipe."""

    def __init__(self, folder, *words, stdout=subprocess.PIPE, **variables):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "gradcheck_cli", "run", ".", "--watch", *words],
            cwd=folder,
            stdout=stdout,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            encoding="utf-8",
            env=environment(**variables),
        )

    def said(self, last):
        """The lines up to one."""
        lines = []
        for line in self.process.stdout:
            lines.append(line)
            if line == last:
                return lines
        raise AssertionError(f"it ended without {last!r}: {lines}")

    def ended(self, number):
        """What is said after a signal, and the exit code."""
        self.process.send_signal(number)
        return self.process.stdout.read(), self.process.wait(HUNG)


def test_what_changes_is_checked_again_and_nothing_else(tmp_path):
    """One of two suites, a new one in a new folder, one that cannot be read and is mended, and all
    where the configuration changes; Ctrl-C ends it without a word.
    """
    written(tmp_path, GOOD, name="a.gradcheck.yaml")
    written(tmp_path, GOOD, GOOD, name="b.gradcheck.yaml")
    watched = Watched(tmp_path, "-q")
    assert watched.said(WAITING.format("2 suites")) == [
        "3 cases: 3 agree\n",
        WAITING.format("2 suites"),
    ]
    written(tmp_path, WRONG, name="a.gradcheck.yaml")
    told = watched.said(WAITING.format("2 suites"))
    assert told[0] == "changed: a.gradcheck.yaml\n"
    assert [line for line in told if line.startswith("a.gradcheck")] == [
        "a.gradcheck.yaml:3: case-1: wrong\n"
    ]
    written(tmp_path, "{expr: sqr(x), at: {x: 1}}", name="a.gradcheck.yaml")
    told = watched.said(WAITING.format("2 suites"))
    assert told[:2] == [
        "changed: a.gradcheck.yaml\n",
        "error[unknown-function]: no function named `sqr`\n",
    ]
    # A folder that comes with a suite in it; the one with the mistake is tried again.
    (tmp_path / "aside").mkdir()
    written(tmp_path / "aside", GOOD, name="c.gradcheck.yaml")
    (tmp_path / "aside").rename(tmp_path / "more")
    told = watched.said(WAITING.format("3 suites"))
    assert "more/c.gradcheck.yaml" in told[0]
    written(tmp_path, GOOD, name="a.gradcheck.yaml")
    told = watched.said(WAITING.format("3 suites"))
    assert (told[0], told[-2]) == (
        "changed: a.gradcheck.yaml, more/c.gradcheck.yaml\n",
        "2 cases: 2 agree\n",
    )
    (tmp_path / "gradcheck.toml").write_text('dtype = ["float32", "float64"]\n')
    told = watched.said(WAITING.format("3 suites"))
    assert (told[0], told[-2]) == ("changed: the configuration\n", "8 cases: 8 agree\n")
    (tmp_path / "b.gradcheck.yaml").unlink()
    assert watched.said(WAITING.format("2 suites")) == [WAITING.format("2 suites")]
    assert watched.ended(signal.SIGINT) == ("", 130)


def test_a_job_that_is_cancelled_ends_it(tmp_path):
    """As Ctrl-C does."""
    written(tmp_path, GOOD)
    watched = Watched(tmp_path)
    watched.said(WAITING.format("1 suite"))
    assert watched.ended(signal.SIGTERM) == ("", 130)


def test_a_pipe_that_nobody_reads_any_more_ends_it(tmp_path):
    """While it waits, and without a word: nothing is written that would show it. With the exit code
    of the last round.
    """
    written(tmp_path, WRONG)
    process = subprocess.Popen(
        [sys.executable, "-m", "gradcheck_cli", "run", ".", "--watch", "-f", "jsonl"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        env=environment(),
    )
    until = iter(process.stderr.readline, WAITING.format("1 suite"))
    assert len(list(until)) == 3
    process.stdout.readline()
    process.stdout.close()
    assert (process.stderr.read(), process.wait(HUNG)) == ("", 1)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("-",), "error[bad-setting]: --watch: stdin cannot be watched: it is read once\n"),
        (("gone.yaml",), "error[unreadable]: `gone.yaml` cannot be read: No such file or directory\n"),
        ((), "error[no-suite]: `run` needs a suite: a file, a folder or `-`\n"),
        ((".", "--durations", "x"), "error[bad-setting]: --durations: `x` is no count\n"),
    ],
)  # fmt: skip
def test_what_no_change_would_mend_ends_it_at_once(tool, tmp_path, words, message):
    """With exit code 2."""
    written(tmp_path, GOOD)
    code, out, err = tool.ran(tmp_path, "run", *words, "--watch")
    assert (code, out, err.splitlines(keepends=True)[0]) == (2, "", message)


def test_without_the_library_the_way_out_is_told(tool, tmp_path, monkeypatch):
    """It is an extra, and nothing is checked before that is said."""
    written(tmp_path, GOOD)
    monkeypatch.setitem(sys.modules, "watchfiles", None)
    assert tool.ran(tmp_path, "run", ".", "--watch") == (
        2,
        "",
        "error[missing-extra]: `--watch` needs watchfiles, which is not installed\n"
        "  = help: pip install 'gradcheck-cli[watch]'\n",
    )


# --- rounds, with what happens between them in the place of a wait


class Told(list):
    """The rounds: names that were checked, by a check that ends as it is told."""

    def check(self, code=0, heard=True):
        """Notes what is asked."""

        def noting(settings, names):
            self.append(sorted(names))
            return code, heard

        return noting


class Set:
    """Settings of a folder."""

    def __init__(self, *suites, below=()):
        self.suites, self.above, self.below = suites, {}, dict.fromkeys(below)

    def require_readable(self):
        """All of them can be read."""


def rounds(folder, monkeypatch, events, check, read=None):
    """The exit code of rounds, between which one event after the other happens, and then Ctrl-C."""
    waiting = iter(events)

    def wait(has_changed, folders, is_over):
        assert not has_changed()
        for event in waiting:
            event()
            if has_changed():
                return
        raise KeyboardInterrupt

    monkeypatch.chdir(folder)
    monkeypatch.setattr(watching, "wait_for", wait)
    return watching.keep_checking(read or (lambda: Set(".")), check, lambda: None)


def test_a_file_that_is_written_as_it_was_is_no_change(tmp_path, monkeypatch):
    """Nor is one beside the suites; a suite that goes leaves nothing to be checked."""
    path = written(tmp_path, GOOD, name="a.gradcheck.yaml")
    text, told = path.read_text(), Told()
    events = (
        lambda: path.write_text(text),
        lambda: (tmp_path / "notes.txt").write_text("x"),
        lambda: written(tmp_path, GOOD, name="b.gradcheck.yaml"),
        path.unlink,
        lambda: path.write_text(text),
    )
    assert rounds(tmp_path, monkeypatch, events, told.check()) == 130
    assert told == [["a.gradcheck.yaml"], ["b.gradcheck.yaml"], ["a.gradcheck.yaml"]]


def test_a_round_that_cannot_start_is_made_again(tmp_path, monkeypatch, capsys):
    """With what has changed since; its mistake is told once for each try."""
    written(tmp_path, GOOD, name="a.gradcheck.yaml")
    told, broken = Told(), [True]

    def check(settings, names):
        told.append(sorted(names))
        if broken.pop() if broken else False:
            raise mistake("unknown-key", "no key")
        return 0, True

    events = [lambda: written(tmp_path, GOOD, name="b.gradcheck.yaml")]
    assert rounds(tmp_path, monkeypatch, events, check) == 130
    assert told == [["a.gradcheck.yaml"], ["a.gradcheck.yaml", "b.gradcheck.yaml"]]
    assert capsys.readouterr().err.count("error[unknown-key]: no key") == 1


def test_a_setting_matters_to_all_suites(tmp_path, monkeypatch, capsys):
    """One that cannot be read is told, and what is checked afterwards is everything."""
    for name in "ab":
        written(tmp_path, GOOD, name=f"{name}.gradcheck.yaml")
    told, now = Told(), [Set(".")]

    def read():
        if isinstance(now[0], UserError):
            raise now[0]
        return now[0]

    def becomes(settings):
        return lambda: now.__setitem__(0, settings)

    events = [becomes(mistake("bad-setting", "no dtype")), becomes(Set(".", below=("dtype",)))]
    assert rounds(tmp_path, monkeypatch, events, told.check(), read) == 130
    assert told == [["a.gradcheck.yaml", "b.gradcheck.yaml"]] * 2
    said = capsys.readouterr().err
    assert said.count("error[bad-setting]: no dtype\n") == 1
    assert said.count("changed: the configuration\n") == 2


@pytest.mark.parametrize(("code", "heard"), [(130, True), (3, False)])
def test_ctrl_c_in_a_round_and_a_closed_pipe_end_it(tmp_path, monkeypatch, code, heard):
    """With the exit code of the round, and without a wait."""
    written(tmp_path, GOOD)
    told = Told()
    assert rounds(tmp_path, monkeypatch, (), told.check(code, heard)) == code
    assert told == [["suite.gradcheck.yaml"]]


def test_many_files_are_counted(tmp_path, monkeypatch, capsys):
    """Three are named."""
    written(tmp_path, GOOD)
    events = [lambda: [written(tmp_path, GOOD, name=f"{k}.gradcheck.yaml") for k in range(5)]]
    rounds(tmp_path, monkeypatch, events, Told().check())
    named = ", ".join(f"{k}.gradcheck.yaml" for k in range(3))
    assert f"changed: {named} and 2 more\n" in capsys.readouterr().err


class Terminal:
    """A stdout that is one."""

    def __init__(self, is_one):
        self.text, self.isatty = "", lambda: is_one

    def write(self, text):
        """Note it."""
        self.text += text

    def flush(self):
        """It is written."""


@pytest.mark.parametrize(
    ("is_one", "kind", "text"), [(True, "xterm", "\x1b[2J\x1b[H"), (True, "dumb", ""), (False, "xterm", "")]
)  # fmt: skip
def test_only_a_terminal_is_cleared(monkeypatch, is_one, kind, text):
    """A pipe gets the reports and nothing else."""
    stdout = Terminal(is_one)
    monkeypatch.setattr(sys, "stdout", stdout)
    monkeypatch.setenv("TERM", kind)
    watching._clear()
    assert stdout.text == text


# --- what is read, and the wait itself


def test_the_folders_that_are_watched(tmp_path, monkeypatch):
    """All in which a suite is or may come to be, those of files and of the configuration; not the
    cache.
    """
    for name in ("suites/deep", ".gradcheck_cache/x", "else", "aside/not"):
        (tmp_path / name).mkdir(parents=True)
    written(tmp_path / "else", GOOD, name="a.yaml")
    monkeypatch.chdir(tmp_path)
    found = watched_folders(["suites", "else/a.yaml", "gone/b.yaml"], tmp_path / "gradcheck.toml")
    assert found == {Path(), Path("suites"), Path("suites/deep"), Path("else"), tmp_path}
    assert Path(".gradcheck_cache") not in watched_folders(["."], None)


def test_a_suite_that_cannot_be_read_has_a_text_all_the_same(tmp_path, monkeypatch):
    """So that it is seen when it can be."""
    monkeypatch.chdir(tmp_path)
    written(tmp_path, GOOD)
    Path("bytes.gradcheck.yaml").write_bytes(b"\xff\xfe")
    texts = suite_texts([".", "gone.yaml"])
    assert sorted(texts) == ["bytes.gradcheck.yaml", "gone.yaml", "suite.gradcheck.yaml"]
    assert texts["gone.yaml"].startswith("error[unreadable]: `gone.yaml` cannot be read")
    assert GOOD in texts["suite.gradcheck.yaml"]


def test_what_changed_before_the_watch_stood_is_seen(tmp_path):
    """The first look needs no event."""
    wait_for(lambda: True, [tmp_path], lambda: False)


def test_an_event_is_a_reason_to_look_and_no_more(tmp_path):
    """The wait goes on until what is read differs."""
    looks = []

    def look():
        looks.append(len(looks))
        (tmp_path / str(len(looks))).touch()
        return len(looks) == 3

    wait_for(look, [tmp_path], lambda: False)
    assert looks == [0, 1, 2]


def test_a_folder_that_is_gone_before_it_is_watched_is_no_mistake(tmp_path):
    """Which folders there are is asked again."""
    wait_for(lambda: False, [tmp_path, tmp_path / "gone"], lambda: False)


def test_what_cannot_be_watched_is_told(tmp_path, monkeypatch):
    """A system that watches as many as it may."""

    def full(*_, **__):
        raise OSError("OS file watch limit reached.")
        yield

    monkeypatch.setattr(changes, "watcher", lambda: full)
    with pytest.raises(UserError) as caught:
        wait_for(lambda: False, [tmp_path], lambda: False)
    assert str(caught.value) == (
        "error[unwatchable]: the suites cannot be watched: OS file watch limit reached."
    )
