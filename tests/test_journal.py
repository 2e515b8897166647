"""The journal: what is finished stays finished, whatever happens to the run or to the disk."""

from __future__ import annotations

import json

import pytest

from gradcheck_cli.runs.journal import Journal, JournalRecords, entries
from gradcheck_cli.runs.task import Item


def item(position, status="pass", **facts):
    """A finished check."""
    return Item(position, status, json.dumps({"position": position, **facts}) + "\n")


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


def test_a_line_that_lies_about_itself_is_left_out(tmp_path):
    """No position, or parts missing."""
    path = tmp_path / "run.tsv"
    path.write_text("a\tx\tpass\t{}\nb\t1\tpass\nc\t1\tpass\t{}\n")
    assert [key for key, _ in entries(path)] == ["c"]


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
