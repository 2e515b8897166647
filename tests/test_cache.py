"""The cache folder: damaged by whoever, shared by runs at the same time, and left by no link."""

from __future__ import annotations

import json
import os
from threading import Thread

import pytest
from suites import started, written
from test_run import GATED, GOOD, WRONG, at_the_gate, document, held, journal

from gradcheck_cli.runs.cache import (
    LOCK_PATIENCE,
    cache,
    hold,
    load_failures,
    own_file,
    remove_unheld,
    save_failures,
)
from gradcheck_cli.runs.task import BATCH_CHECKS

# As many as go to a worker at once: what stands behind them does not hold them up.
CASES = [f"{{expr: x**2 + {k}, at: {{x: 3}}}}" for k in range(BATCH_CHECKS)]
COUNT = len(CASES) + 1


SUITE = [*CASES, f"{{expr: x + {GATED}, at: {{x: 1}}}}"]


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """(name, bytes) of the journal of a run that was killed before its last check."""
    folder = tmp_path_factory.mktemp("killed")
    written(folder, *SUITE)
    process, gate = held(folder, "run", ".", "-j1", "-f", "json")
    at_the_gate(process, gate)
    path = journal(process, folder, len(CASES))
    process.kill()
    process.communicate()
    return path.name, path.read_bytes()


def left(folder, kept):
    """The path of a journal, as the killed run has left it in another folder."""
    written(folder, *SUITE)
    path = folder / ".gradcheck_cache" / kept[0]
    path.parent.mkdir()
    path.write_bytes(kept[1])
    return path


@pytest.mark.parametrize(
    ("line", "damage"),
    [
        (0, lambda line: line[:40]),
        (1, lambda line: line[: len(line) // 2] + b"\n"),
        (2, lambda line: b"\0" * 500 + b"\n"),
        (3, lambda line: line.replace(b'"agree"', b'["agree"]')),
        (4, lambda line: line.replace(b'"reproduce"', b'"produce"')),
        (15, lambda line: line[:-6] + "∂".encode()[:2] + b"\n"),
        (15, lambda line: line[:-6]),
    ],
)
def test_a_damaged_line_costs_its_check_alone(line, damage, tool, kept, tmp_path):
    """It is made again and that is told; the report is that of a run to which nothing happened."""
    path = left(tmp_path, kept)
    lines = path.read_bytes().splitlines(keepends=True)
    assert len(lines) == len(CASES)
    path.write_bytes(b"".join([*lines[:line], damage(lines[line]), *lines[line + 1 :]]))
    code, out, err = tool.ran(tmp_path, "run", ".", "-f", "json", "--resume")
    # Half a line without its end takes the next one along.
    cost = 2 if line == 0 else 1
    place = path.relative_to(tmp_path)
    assert err == (
        f"line {line + 1} is damaged in `{place}`: its check is made again\n"
        f"{len(CASES) - cost} of {COUNT} checks are taken over from the run before\n"
    )
    assert (code, out) == tool.ran(tmp_path, "run", ".", "-f", "json")[:2] == (0, out)


def test_runs_at_once_in_one_folder_all_succeed(tmp_path):
    """Of the same command and with the same file to write, some with `--resume`; each has all checks
    in its report, and nothing is left but what failed.
    """
    written(tmp_path, *CASES, WRONG, GOOD)
    more = [(), ("--resume",), ("-q",), ("--resume", "--export", "other.json")]
    runs = [
        started(tmp_path, "run", ".", "-f", "jsonl", "--export", "same.json", *words)
        for words in more
    ]
    told = [(*process.communicate(), process.returncode) for process in runs]
    for out, err, code in told:
        assert code == 1, err
        assert "Traceback" not in err
        assert [json.loads(line)["position"] for line in out.splitlines()] == list(range(COUNT + 1))
    assert len({out for out, _, _ in told}) == 1
    for name in ("same.json", "other.json"):
        report = json.loads((tmp_path / name).read_text(encoding="utf-8"))
        assert report["summary"] == {"wrong": 1, "agree": COUNT}
    left = {path.name for path in (tmp_path / ".gradcheck_cache").iterdir()}
    assert left == {".gitignore", "failed.json", "lock"}
    assert {path.name for path in tmp_path.iterdir()} == {
        "suite.gradcheck.yaml",
        "same.json",
        "other.json",
        ".gradcheck_cache",
    }
    assert load_failures(tmp_path / ".gradcheck_cache") == {"suite.gradcheck.yaml::case-17"}


def test_a_run_leaves_the_journal_of_another_that_lives(tool, tmp_path):
    """Even of the same command, with and without `--resume`; that of one that is gone goes."""
    written(tmp_path, *SUITE)
    living, gate = held(tmp_path, "run", ".", "-j1", "-f", "jsonl")
    at_the_gate(living, gate)
    path = journal(living, tmp_path, len(CASES))
    before = path.read_bytes()
    for words in ((), ("--resume",)):
        code, out, err = tool.ran(tmp_path, "run", ".", "-f", "jsonl", *words)
        assert (code, len(out.splitlines())) == (0, COUNT)
        taken = f"{len(CASES)} of {COUNT} checks are taken over from the run before\n"
        assert err == (taken if words else "")
        assert path.read_bytes() == before
    gate.touch()
    assert len(living.communicate()[0].splitlines()) == COUNT
    assert living.returncode == 0
    assert not path.exists()


def test_failures_of_runs_that_end_together_are_all_kept(tmp_path):
    """Each adds its own and takes away its own."""
    save_failures(tmp_path, [(f"gone-{k}", True) for k in range(20)])
    threads = [
        Thread(target=save_failures, args=(tmp_path, [(f"new-{k}", True), (f"gone-{k}", False)]))
        for k in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert load_failures(tmp_path) == {f"new-{k}" for k in range(20)}
    assert {path.name for path in tmp_path.iterdir()} == {"failed.json", "lock"}


def test_a_run_that_stands_still_holds_up_no_other_for_long(tmp_path, monkeypatch):
    """What it holds is taken when patience ends."""
    own_file(tmp_path / "lock", new=True).close()
    with own_file(tmp_path / "lock") as lock:
        hold(lock)
        monkeypatch.setattr("gradcheck_cli.runs.cache.LOCK_PATIENCE", LOCK_PATIENCE / 1_000)
        save_failures(tmp_path, [("a", True)])
    assert load_failures(tmp_path) == {"a"}


@pytest.mark.parametrize(
    "text",
    [b"", b"5", b"null", b'"text"', b"[[[", b"[" * 100_000, b"\xff", b"[1, null, {}]", b"\0"],
)
def test_failures_that_make_no_sense_are_none(text, tmp_path):
    """They are written anew."""
    (tmp_path / "failed.json").write_bytes(text)
    assert load_failures(tmp_path) == frozenset()
    save_failures(tmp_path, [("a", True), ("b", False)])
    assert load_failures(tmp_path) == {"a"}


def test_what_is_held_is_not_removed(tmp_path):
    """Nor is what a link leads to."""
    with own_file(tmp_path / "held", new=True) as file:
        hold(file)
        own_file(tmp_path / "free", new=True).close()
        (tmp_path / "link").symlink_to("target")
        own_file(tmp_path / "target", new=True).close()
        remove_unheld(tmp_path / name for name in ("held", "free", "link", "none"))
        assert {path.name for path in tmp_path.iterdir()} == {"held", "target"}


def test_a_cache_folder_that_is_a_link_is_not_used(tool, tmp_path):
    """The run goes on without, and says so; nothing is written at the other end."""
    project, elsewhere = tmp_path / "project", tmp_path / "elsewhere"
    project.mkdir()
    elsewhere.mkdir()
    (project / ".gradcheck_cache").symlink_to(elsewhere)
    written(project, GOOD)
    code, report = document(tool.ran, project, ".")
    assert (code, report["summary"]) == (0, {"agree": 1})
    for words in ((), ("--resume",), ("--lf",)):
        code, _, err = tool.ran(project, "run", ".", *words)
        assert (code, err.splitlines()[0]) == (
            0,
            "`.gradcheck_cache` is a link, which is not followed: "
            "nothing is kept for --resume and --last-failed",
        )
    assert list(elsewhere.iterdir()) == []
    assert cache(tmp_path) == (tmp_path / ".gradcheck_cache", "")


@pytest.mark.parametrize("target", ["a file", "nothing", "a device"])
def test_no_link_in_the_cache_folder_is_followed(target, tool, tmp_path):
    """Where a run keeps its things and where it finds those of others: the link is replaced or
    passed over, and what it leads to stays as it is.
    """
    folder, elsewhere = tmp_path / ".gradcheck_cache", tmp_path / "elsewhere"
    folder.mkdir()
    if target == "a file":
        elsewhere.write_text("mine", encoding="utf-8")
    leads = "/dev/zero" if target == "a device" else elsewhere
    written(tmp_path, GOOD, WRONG)
    assert tool.ran(tmp_path, "run", ".", "-k", "sin")[0] == 5
    for name in (".gitignore", "failed.json", "lock"):
        (folder / name).unlink(missing_ok=True)
        (folder / name).symlink_to(leads)
    code, report = document(tool.ran, tmp_path, ".")
    assert (code, report["summary"]) == (1, {"wrong": 1, "agree": 1})
    code, report = document(tool.ran, tmp_path, ".", "--resume")
    assert (code, report["summary"]) == (1, {"wrong": 1, "agree": 1})
    if target == "a file":
        assert elsewhere.read_text(encoding="utf-8") == "mine"
    else:
        assert not elsewhere.exists()


def test_a_journal_that_is_a_link_is_passed_over(tool, kept, tmp_path):
    """With a message; its checks are made."""
    path, elsewhere = left(tmp_path, kept), tmp_path / "elsewhere"
    path.rename(elsewhere)
    path.symlink_to(elsewhere)
    code, out, err = tool.ran(tmp_path, "run", ".", "-f", "jsonl", "--resume")
    assert (code, len(out.splitlines())) == (0, COUNT)
    place = path.relative_to(tmp_path)
    assert err == f"`{place}` cannot be read: it is a link, which is not followed\n"
    assert elsewhere.read_bytes() == kept[1]
    assert not os.path.lexists(path)
