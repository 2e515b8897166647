"""The suites that are lifted from the files in `tests/lifting`. As a script it writes the goldens
anew: `python tests/lifting_goldens.py`.
"""

from __future__ import annotations

from pathlib import Path

from gradcheck_cli.lifting import lift

FILES = sorted((Path(__file__).parent / "lifting").iterdir())
FOLDER = Path(__file__).parent / "golden" / "lifting"


def golden(path):
    """Where the suite of a file is kept."""
    return FOLDER / f"{path.name}.txt"


def main():
    """Write every golden anew."""
    FOLDER.mkdir(exist_ok=True)
    for path in FILES:
        golden(path).write_text(lift(path).suite, encoding="utf-8")


if __name__ == "__main__":
    main()
