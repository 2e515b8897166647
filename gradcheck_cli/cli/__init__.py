"""The command line. The only package that prints, exits or reads the environment; a file for each
kind of command.
"""

from gradcheck_cli.cli import check, fn, hunt, init, lift, pages, run, stored, sweep
from gradcheck_cli.cli.entry import app, main

__all__ = ["app", "check", "fn", "hunt", "init", "lift", "main", "pages", "run", "stored", "sweep"]
