"""`gradcheck init`: the files a project starts with."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from gradcheck_cli.cli.entry import command
from gradcheck_cli.cli.streams import out


@command(
    "init",
    "gradcheck init .",
    exits={"0": "it is written, or there", "2": "it cannot be written", "3": "the tool failed"},
    topics=("suites", "ci"),
)
def init_command(
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="[DIR]", help="The project's folder; made if there is none.", show_default=False
        ),
    ] = Path(),
    gitlab: Annotated[
        bool, typer.Option("--gitlab", help="A job for GitLab instead of a workflow for GitHub.")
    ] = False,
) -> None:
    """Write a first suite, its schema and a CI job; nothing that is there is changed."""
    from gradcheck_cli.starter import GITLAB, write_starter

    written = write_starter(folder, gitlab=gitlab)
    lines = [
        f"wrote {folder / name}" if new else f"kept  {folder / name}, which is there already"
        for name, new in written.items()
    ]
    if written.get(GITLAB):
        lines.append(f"next, in .gitlab-ci.yml: include: [{{local: {GITLAB}}}]")
    lines.append(f"next: {shlex.join(['gradcheck', 'run', str(folder / 'suites')])}")
    out("\n".join(lines) + "\n")
