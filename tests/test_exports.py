"""Where reports go: through links, to devices as they are, whole or not at all; and what a report
says of it.
"""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from itertools import product
from pathlib import Path
from threading import Thread

import pytest
from clocks import HUNG
from suites import environment, written
from test_run import GOOD, WRONG

from gradcheck_cli.cli.exports import stream_number, write
from gradcheck_cli.reports.stored import read_report

CHECK = ("exp(x)", "--at", "x=1")
FULL = "No space left on device"
PAGES = (
    "--help", "--version", "--show-completion", "run --help", "check --help", "functions", "functions sin", "explain", "explain kink", "schema report", "doctor",
    "init new", "run --show-settings",
)  # fmt: skip


def shell(line, folder):
    """A line of a shell in a folder, with `gradcheck` in it: exit code, stdout, stderr."""
    done = subprocess.run(
        ["bash", "-c", line.replace("gradcheck ", f"{sys.executable} -m gradcheck_cli ")],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=HUNG,
        check=False,
        env=environment(),
    )
    return done.returncode, done.stdout, done.stderr


@pytest.fixture(scope="module")
def stored(tool, tmp_path_factory):
    """A report of one check: `report` writes it as `check` would, and loads no torch for it."""
    folder = tmp_path_factory.mktemp("stored")
    assert tool.ran(folder, *CHECK, "--export", "report.json")[0] == 0
    return folder / "report.json"


def names(folder):
    """What a folder holds."""
    return sorted(path.name for path in folder.iterdir())


def test_a_link_stays_and_what_it_leads_to_is_written(tmp_path):
    """Over several links, to a file that is there and to one that is not yet; its rights stay."""
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "old").write_text("old", encoding="utf-8")
    (tmp_path / "sub" / "old").chmod(0o640)
    for name, leads in {"a": "b", "b": "sub/old", "c": tmp_path / "sub" / "new"}.items():
        (tmp_path / name).symlink_to(leads)
    for name, real in {"a": "old", "b": "old", "c": "new"}.items():
        assert write(tmp_path / name, f"text of {name}") == ""
        assert (tmp_path / name).is_symlink()
        assert (tmp_path / "sub" / real).read_text(encoding="utf-8") == f"text of {name}"
    assert stat.S_IMODE((tmp_path / "sub" / "old").stat().st_mode) == 0o640
    assert names(tmp_path / "sub") == ["new", "old"]
    mask = os.umask(0o022)
    os.umask(mask)
    assert stat.S_IMODE((tmp_path / "sub" / "new").stat().st_mode) == 0o666 & ~mask


def test_all_names_of_a_file_show_what_is_written(tmp_path):
    """A hard link is a link."""
    (tmp_path / "a").write_text("old", encoding="utf-8")
    (tmp_path / "b").hardlink_to(tmp_path / "a")
    assert write(tmp_path / "a", "new") == ""
    assert (tmp_path / "b").read_text(encoding="utf-8") == "new"


def test_links_that_lead_nowhere_are_told(tool, tmp_path):
    """In a circle, or into a folder that is not there."""
    (tmp_path / "circle.json").symlink_to("circle.json")
    (tmp_path / "gone.json").symlink_to("none/a.json")
    assert "Too many levels" in write(tmp_path / "circle.json", "text")
    for name in ("circle.json", "gone.json"):
        code, _, err = tool.ran(tmp_path, *CHECK, "--export", name)
        assert code == 2
        assert err.startswith(f"error[unwritable]: the report cannot be written to `{name}`: ")
        assert (tmp_path / name).is_symlink()


@pytest.mark.parametrize("name", ["/dev/null", "/dev/full"])
def test_a_device_stays_one(name, tool, tmp_path):
    """By its name or by a link, what it is afterwards is what it was."""
    before = Path(name).stat()
    (tmp_path / "link.json").symlink_to(name)
    for target in (f"json:{name}", "link.json"):
        tool.ran(tmp_path, *CHECK, "--export", target)
        after = Path(name).stat()
        assert (after.st_ino, after.st_mode, after.st_rdev) == (
            before.st_ino,
            before.st_mode,
            before.st_rdev,
        )
        assert stat.S_ISCHR(after.st_mode)
    assert (tmp_path / "link.json").is_symlink()


def test_a_pipe_stays_one(tool, tmp_path):
    """Whoever reads it gets the report."""
    path, heard = tmp_path / "pipe", []
    os.mkfifo(path)
    reader = Thread(target=lambda: heard.append(path.read_text(encoding="utf-8")))
    reader.start()
    assert tool.ran(tmp_path, *CHECK, "--export", "json:pipe")[0] == 0
    reader.join()
    assert json.loads(heard[0])["summary"] == {"agree": 1}
    assert stat.S_ISFIFO(path.stat().st_mode)


@pytest.mark.parametrize(
    "target", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1", "link", "/dev/fd/5", "/dev/stderr"]
)
@pytest.mark.parametrize("into", ["a pipe", "a file"])
def test_an_open_stream_is_written_where_it_stands(target, into, stored, tmp_path):
    """Behind what was written before, be it a pipe or a file that others write to as well."""
    (tmp_path / "link").symlink_to("/dev/stdout")
    line = f"(echo before; gradcheck report {stored} -q --export json:{target}; echo after)"
    line += " > all 5>&1 2>&1; cat all" if into == "a file" else " 5>&1 2>&1"
    code, out, _ = shell(line, tmp_path)
    assert code == 0
    first, table, rest = out.split("\n", 2)
    assert (first, table) == ("before", "1 case: 1 agree")
    assert rest.endswith("after\n")
    assert json.loads(rest.removesuffix("after\n"))["exit_code"] == 0


@pytest.mark.parametrize(
    "name", ["a.json", "dev/stdout", "/dev/null", "/dev/stdout0", "/proc/1/fd/1"]
)
def test_other_names_are_no_open_streams(name, tmp_path):
    """Nor those of another process."""
    assert stream_number(tmp_path / name) is None


def test_a_folder_that_takes_nothing_new_takes_what_is_there(tmp_path, monkeypatch):
    """A file that is mounted alone cannot be replaced; it is written as it stands."""
    path = tmp_path / "a.json"
    path.write_text("old, and longer", encoding="utf-8")

    def refuse(*_):
        raise OSError(16, "Device or resource busy")

    monkeypatch.setattr(Path, "replace", refuse)
    assert write(path, "new") == ""
    assert path.read_text(encoding="utf-8") == "new"
    assert write(tmp_path / "b.json", "new") == "Device or resource busy"
    assert names(tmp_path) == ["a.json"]


def test_files_written_at_once_do_not_meet(tmp_path):
    """Each is whole; nothing else is left."""
    texts = [str(k) * 200_000 for k in range(8)]
    threads = [Thread(target=write, args=(tmp_path / "a.json", text)) for text in texts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (tmp_path / "a.json").read_text(encoding="utf-8") in texts
    assert names(tmp_path) == ["a.json"]


@pytest.mark.parametrize(
    ("command", "full"),
    [
        *product(["report", "merge"], ["stdout", "an export", "both", "stderr"]),
        *product(["check", "run"], ["both", "stderr"]),
    ],
)
def test_the_exit_code_in_a_report_is_that_of_the_process(command, full, tool, tmp_path):
    """Whatever could not be written, and in whichever order; the reports that could be are read
    back, and say what was the matter. All commands hand their report to one `Delivery`.
    """
    written(tmp_path, GOOD)
    assert tool.ran(tmp_path, "run", ".", "--export", "first.json", "-q")[0] == 0
    words = {
        "check": "gradcheck 'exp(x)' --at x=1",
        "run": "gradcheck run . -j1",
        "report": "gradcheck report first.json",
        "merge": "gradcheck merge first.json",
    }[command]
    lost = "--export json:/dev/full " if full in ("an export", "both") else ""
    line = f"{words} -f json --export a.json {lost}--export b.sarif --export json:/dev/fd/5 5>fd"
    line += {"stdout": " >/dev/full", "both": " >/dev/full", "stderr": " 2>/dev/full"}.get(full, "")
    code, out, err = shell(line, tmp_path)
    said = {
        "stdout": [f"the report cannot be written: {FULL}"],
        "an export": [f"the report cannot be written to `/dev/full`: {FULL}"],
        "both": [
            f"the report cannot be written to `/dev/full`: {FULL}",
            f"the report cannot be written: {FULL}",
        ],
        "stderr": [],
    }[full]
    assert code == (2 if said else 0), err
    assert [line for line in err.splitlines() if "are taken over" not in line] == [
        f"error[unwritable]: {sentence}" for sentence in said
    ]
    texts = [(tmp_path / name).read_text(encoding="utf-8") for name in ("a.json", "fd")]
    texts += [out] if full in ("an export", "stderr") else []
    for text in texts:
        report = json.loads(text)
        assert (report["exit_code"], report["problems"]) == (code, said)
        assert read_report(text).exit_code == code
    sarif = json.loads((tmp_path / "b.sarif").read_text(encoding="utf-8"))
    assert sarif["runs"][0]["invocations"][0]["exitCode"] == code


def test_a_stream_of_results_that_is_full_ends_with_two(tool, tmp_path):
    """Where a file is wanted as well the run goes on, and the file has everything."""
    written(tmp_path, GOOD, WRONG)
    for words in ("gradcheck run . -j1", "gradcheck 'relu(x) - relu(-x)' --at x=0:1:2"):
        code, _, err = shell(f"{words} -f jsonl --export a.json >/dev/full", tmp_path)
        assert (code, err.splitlines()[0]) == (
            2,
            f"error[unwritable]: the report cannot be written: {FULL}",
        )
        report = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))
        assert (report["exit_code"], report["summary"]) == (2, {"wrong": 1, "agree": 1})
        assert report["problems"] == [f"the report cannot be written: {FULL}"]
        assert shell(f"{words} -f jsonl >/dev/full", tmp_path)[0] == 2


@pytest.mark.parametrize(
    ("words", "unbuffered"),
    [
        *product(PAGES, [""]),
        # From Click, from Rich, of one line and of many.
        *product(["--help", "--version", "functions", "explain kink"], ["1"]),
    ],
)
def test_a_page_that_cannot_be_written_is_told(words, unbuffered, tmp_path):
    """Exit code 2, one line, no traceback; whoever stops reading is told nothing."""
    line = f"PYTHONUNBUFFERED={unbuffered} gradcheck {words}"
    code, _, err = shell(f"{line} >/dev/full", tmp_path)
    assert code == 2
    assert err.startswith("error[unwritable]: the ")
    assert err.endswith(f" cannot be written: {FULL}\n")
    assert err.count("\n") == 1
    code, _, err = shell(f"{line} | true; exit ${{PIPESTATUS[0]}}", tmp_path)
    assert (code in (0, 1), err) == (True, "")
