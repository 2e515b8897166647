"""The journal: what is finished stays finished, whatever happens to the run or to the disk."""

from __future__ import annotations

import json
import os

import pytest

from gradcheck_cli.runs.journal import Journal, JournalRecords, entries
from gradcheck_cli.runs.task import Item


def item(position, status="pass", **facts):
    """A finished check."""
    return Item(
        position, status, json.dumps({"position": position, **facts}, ensure_ascii=False) + "\n"
    )


def test_records_are_read_back_in_order_whenever_they_finished(tmp_path):
    """With every character that JSON may hold in a line."""
    journal = Journal(tmp_path / "run.tsv", 4)
    for position, text in [(2, "tab\there"), (0, "∂f/∂x"), (3, "\u2028")]:
        journal.add("key", item(position, text=text))
    assert journal.positions() == [0, 2, 3]
    assert [record["text"] for record in JournalRecords(journal, journal.positions())] == [
        "∂f/∂x",
        "tab\there",
        "\u2028",
    ]
    assert JournalRecords(journal, [0, 2, 3])[1]["text"] == "tab\there"
    assert [journal.status(position) for position in range(4)] == ["pass", None, "pass", "pass"]


def test_a_later_run_reads_the_whole_lines_and_no_torn_one(tmp_path):
    """A process that was killed may leave half a line."""
    path = tmp_path / "run.tsv"
    journal = Journal(path, 3)
    journal.add("a", item(0))
    journal.add("b", item(1, "fail"))
    with path.open("ab") as file:
        file.write(b'c\t2\tpass\t{"posi')
    assert [(key, found.position, found.status) for key, found in entries(path)] == [
        ("a", 0, "pass"),
        ("b", 1, "fail"),
    ]
    assert list(entries(tmp_path / "none.tsv")) == []


def changed(line, number):
    """A line, its parts, what it could be instead; every one of them is wrong."""
    key, position, status, digest, record = line.split(b"\t", 4)
    parts = (key, position, status, digest, record)

    def whole(**other):
        names = ("key", "position", "status", "digest", "record")
        return b"\t".join(other.get(name, part) for name, part in zip(names, parts, strict=True))

    half = line[: line.index("∂".encode()) + 1]
    return [
        b"\n",
        b"\0" * len(line) + b"\n",
        half + b"\n",
        line[:-2] + b"\n",
        line[:-1] + b"\xff\n",
        line.replace(b"1.5", b"1.6"),
        b"\t".join(parts[:3]) + b"\n",
        b"\t".join((*parts[:3], record)),
        whole(key=b"other"),
        whole(key=b"\xff"),
        whole(position=b"x"),
        whole(position=b"-1"),
        whole(position="²".encode()),
        whole(position=b"9" * 5_000),
        whole(position=str(number + 1).encode()),
        whole(status=b"fail"),
        whole(status=b""),
        whole(record=b"[]\n"),
        whole(record=b"{}\n"),
        whole(record=b'"text"\n'),
        whole(record=b"[" * 100_000 + b"\n"),
        b"x" * (1 << 22) + b"\n",
        os.urandom(1_000).replace(b"\n", b"") + b"\n",
    ]


def test_a_damaged_line_costs_its_check_alone(tmp_path):
    """Whatever is wrong with it, and wherever it stands; its number is told, the others are read."""
    path = tmp_path / "run.tsv"
    journal = Journal(path, 4)
    for position in range(4):
        journal.add("key", item(position, text="∂f", number=1.5))
    lines = path.read_bytes().splitlines(keepends=True)
    for k, line in enumerate(lines):
        for lie in changed(line, k):
            path.write_bytes(b"".join([*lines[:k], lie, *lines[k + 1 :]]))
            damaged = []
            kept = [found.position for _, found in entries(path, damaged)]
            assert kept == [j for j in range(4) if j != k], lie[:80]
            assert damaged == [k + 1], lie[:80]
    path.write_bytes(b"".join(lines))
    assert len(list(entries(path))) == 4


def test_a_line_longer_than_any_record_is_passed_over(tmp_path, monkeypatch):
    """It is never held as a whole; the line behind it counts."""
    path, damaged = tmp_path / "run.tsv", []
    journal = Journal(path, 1)
    journal.add("a", item(0))
    line = path.read_bytes()
    monkeypatch.setattr("gradcheck_cli.runs.journal.LONGEST_LINE", len(line) + 1)
    path.write_bytes(b"x" * 3 * (len(line) + 1) + b"\n" + line + b"x" * 3 * (len(line) + 1))
    journal.close(keep=True)
    assert [key for key, _ in entries(path, damaged)] == ["a"]
    assert damaged == [1, 3]


def test_a_line_that_a_living_run_is_writing_is_no_damage(tmp_path):
    """Only a run that is gone has left half a line for good."""
    path, damaged = tmp_path / "run.tsv", []
    journal = Journal(path, 2)
    journal.add("a", item(0))
    with path.open("ab") as file:
        file.write(b"b\t1\tpa")
    assert [key for key, _ in entries(path, damaged)] == ["a"]
    assert damaged == []
    journal.close(keep=True)
    assert [key for key, _ in entries(path, damaged)] == ["a"]
    assert damaged == [2]


def test_a_journal_follows_no_link(tmp_path):
    """Neither to write nor to read; what stands at the other end is left alone."""
    elsewhere, link = tmp_path / "elsewhere", tmp_path / "run.tsv"
    link.symlink_to(elsewhere)
    journal = Journal(link, 1)
    journal.add("a", item(0))
    assert not elsewhere.exists()
    assert "cannot be written" in journal.trouble
    Journal(elsewhere, 1).add("a", item(0))
    with pytest.raises(OSError, match="it is a link, which is not followed"):
        list(entries(link))
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="it is no plain file"):
        list(entries(tmp_path / "pipe"))


@pytest.mark.parametrize("full_after", [0, 1, 2])
def test_a_full_disk_loses_nothing(tmp_path, full_after):
    """What was written and what comes after it is kept in memory, and the trouble is told."""
    journal = Journal(tmp_path / "run.tsv", 3)
    file, written = journal._file, []

    class Full:
        def __getattr__(self, name):
            return getattr(file, name)

        def write(self, data):
            if len(written) == full_after:
                return file.write(data[: len(data) // 2])
            written.append(data)
            return file.write(data)

    journal._file = Full()
    for position in range(3):
        journal.add("key", item(position))
    assert [record["position"] for record in JournalRecords(journal, journal.positions())] == [
        0,
        1,
        2,
    ]
    assert journal.trouble == f"`{tmp_path / 'run.tsv'}` cannot be written: No space left on device"


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    """The run goes on without a file."""
    (tmp_path / "file").write_text("")
    journal = Journal(tmp_path / "file" / "run.tsv", 1)
    journal.add("key", item(0))
    assert journal.positions() == [0]
    assert "cannot be written" in journal.trouble


def test_the_file_stays_only_where_something_is_left_to_be_done(tmp_path):
    """Else the next run would find what it need not know."""
    for keep in (True, False):
        journal = Journal(tmp_path / "new", 1)
        journal.become(tmp_path / "run.tsv")
        journal.close(keep=keep)
        assert (tmp_path / "run.tsv").exists() is keep
