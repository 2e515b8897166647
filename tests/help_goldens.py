"""The pages of `--help` at 80 columns. As a script it writes the goldens anew:
`python tests/help_goldens.py`.
"""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from tool import Tool

from gradcheck_cli.cli.arguments import COMMANDS

FOLDER = Path(__file__).parent / "golden" / "help"
PAGES = {"gradcheck": ["--help"], **{name: [name, "--help"] for name in COMMANDS}}


def help_page(tool, words, width):
    """What stands on stdout, on a terminal of so many columns."""
    done = tool.run(words, environment={"COLUMNS": str(width)})
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def main():
    """Write every golden anew."""
    FOLDER.mkdir(exist_ok=True)
    with closing(Tool()) as tool:
        for name, words in PAGES.items():
            (FOLDER / f"{name}.txt").write_text(help_page(tool, words, 80), encoding="utf-8")


if __name__ == "__main__":
    main()
