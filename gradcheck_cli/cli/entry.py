"""The Typer application and how it is entered and left."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from gradcheck_cli import __version__
from gradcheck_cli.cli.arguments import in_order
from gradcheck_cli.cli.help_pages import NOTES, CommandGroup, Notes, PagedCommand
from gradcheck_cli.cli.streams import (
    FAILED,
    FULL,
    USAGE,
    defect,
    fault_of_stdout,
    leave,
    open_streams,
    say,
    say_mistakes,
    variable,
)
from gradcheck_cli.language.errors import Mistake, UserError
from gradcheck_cli.language.files import error_text
from gradcheck_cli.lean import import_torch_lean
from gradcheck_cli.records.outcome import INTERRUPTED
from gradcheck_cli.settings.table import takes_file

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# Plain help: Typer's own Rich output cuts at 80 columns in a pipe and forces colour under
# GITHUB_ACTIONS.
app = typer.Typer(
    name="gradcheck",
    cls=CommandGroup,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    help="Verify gradients: SymPy, torch's autograd and central differences, held against a proved "
    "reference.",
)


def command(
    name: str, *examples: str, exits: Mapping[str, str], topics: tuple[str, ...]
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """A decorator for the function of a command; the rest is for its page of help."""
    NOTES[name] = Notes(examples, exits, topics)
    return app.command(name, cls=PagedCommand)


def main() -> NoReturn:
    """Run the command line and leave at once: torch's tear-down alone would take 0.3 s."""
    open_streams()
    import_torch_lean()
    words = sys.argv[1:]
    try:
        asked = variable("_GRADCHECK_COMPLETE")
        if asked.startswith("complete_"):
            _complete(asked.removeprefix("complete_"))
        if not asked:
            words = in_order(words)
        app(words, prog_name="gradcheck", standalone_mode=True, **_preset(words))
        code = 0
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 1
    except UserError as error:
        say_mistakes(error)
        code = USAGE
    except KeyboardInterrupt:
        code = INTERRUPTED
    except BrokenPipeError:
        code = 0
    except OSError as error:
        # What Typer prints, such as a page of help, is written by Typer, and nothing else that is
        # written fails unheard.
        reason = fault_of_stdout() or (error_text(error) if error.errno in FULL else "")
        if reason:
            say(str(Mistake("unwritable", f"the output cannot be written: {reason}")))
            code = USAGE
        else:
            defect(error)
            code = FAILED
    except Exception as error:  # noqa: BLE001 - a defect of ours must not look like a wrong gradient
        defect(error)
        code = FAILED
    leave(code)


def _complete(shell: str) -> None:
    """Answer a shell and end; nothing for one that is not known."""
    from gradcheck_cli.cli.shells import answer

    said = answer(typer.main.get_command(app), shell, os.environ)
    if said is not None:
        print(said[0])
        leave(said[1])


def _preset(words: list[str]) -> dict[str, Any]:
    """What the configuration file and variables say, as Typer takes it: for commands that a file
    sets something for, if they do more than print their help.
    """
    options = words[: words.index("--")] if "--" in words else words
    asks_help = "-h" in options or "--help" in options
    if asks_help or not words or not takes_file(words[0]):
        return {}
    from gradcheck_cli.settings.file import default_map, preset_of

    preset = preset_of(words[0], Path(), os.environ)
    return {"default_map": default_map(preset.configuration), "obj": preset}


def _version(wanted: bool) -> None:
    if wanted:
        print(f"gradcheck {__version__}")
        raise typer.Exit


@app.callback()
def group(
    version: Annotated[
        bool,
        typer.Option(
            "--version", "-V", callback=_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Nothing; the version is printed where it is asked for."""
