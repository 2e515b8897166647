"""Processes whose parent was killed."""

from __future__ import annotations

import subprocess
import sys

import psutil


def alive(pid):
    """Whether a process is there, and not only its entry in the table."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def orphaned(code, *arguments):
    """The process whose id a program prints, after that program was killed."""
    parent = subprocess.Popen(
        [sys.executable, "-c", code, *arguments], stdout=subprocess.PIPE, text=True
    )
    child = int(parent.stdout.readline())
    assert alive(child)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    return child
