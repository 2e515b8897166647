"""Finding a person's code by its name: to import it is to run it."""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

from gradcheck_cli.language.errors import (
    Mistake,
    PointError,
    UserError,
    did_you_mean,
    elide,
    mistake,
)


def find_object(title: str) -> Any:
    """What `PKG.MOD:OBJ` or `FILE.py:OBJ` names; modules are found from the working directory too.

    Raises:
        PointError: there is no such module or name, or importing it raises.
    """
    module, _, name = title.rpartition(":")
    dotted = module.removesuffix(".py").split("/")[-1].split(".")
    if not module or not all(map(str.isidentifier, [*dotted, *name.split(".")])):
        hint = "write PKG.MOD:OBJ or FILE.py:OBJ, such as `layers.norm:RmsNorm`"
        raise mistake("bad-object", f"`{elide(title)}` names no object in a module", help=hint)
    found: Any = _module(module)
    for part in name.split("."):
        if not hasattr(found, part):
            known = [n for n in dir(found) if not n.startswith("_")]
            message = f"`{module}` has no `{elide(name)}`"
            raise PointError([Mistake("unknown-object", message, help=did_you_mean(part, known))])
        found = getattr(found, part)
    return found


def _module(name: str) -> Any:
    here = str(Path.cwd())
    # Only where nothing else has it, and last: a file that is called as a library is does not stand
    # in for it.
    is_file = name.endswith(".py")
    if not is_file and here not in sys.path and find_spec(name.partition(".")[0]) is None:
        sys.path.append(here)
    try:
        if is_file:
            return _from_file(Path(name))
        return import_module(name)
    except ModuleNotFoundError as error:
        if error.name and name.startswith(error.name):
            hint = f"it is looked for from {here} and in the installed packages"
            raise mistake("unknown-module", f"no module `{elide(name)}`", help=hint) from error
        raise _broken(name, error) from error
    except (KeyboardInterrupt, MemoryError, UserError):
        raise
    except BaseException as error:
        raise _broken(name, error) from error


def _from_file(path: Path) -> Any:
    if not path.is_file():
        raise mistake("unknown-module", f"no file `{elide(str(path))}`")
    folder = str(path.resolve().parent)
    if folder not in sys.path:
        sys.path.append(folder)
    spec = spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


def _broken(name: str, error: BaseException) -> PointError:
    line = str(error).strip().partition("\n")[0]
    return mistake(
        "broken-module", f"importing `{elide(name)}` raises {type(error).__name__}: {line}"
    )
