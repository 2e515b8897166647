"""The statements of a cell, in the order in which Python would run them."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from gradcheck_cli.language.cells.assigning import ACTING, Assigning
from gradcheck_cli.language.cells.bindings import (
    Gradient,
    Library,
    PythonValue,
    Refused,
    Series,
    Thing,
)
from gradcheck_cli.language.cells.calls import FIGURES
from gradcheck_cli.language.cells.libraries import known_path
from gradcheck_cli.language.cells.operations import integer_term
from gradcheck_cli.language.errors import NodeError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# A loop that is written out, and functions that call each other.
MOST_ROUNDS, MOST_CALLS = 100, 32
# What only shows something, or sets what no result depends on.
_SHOWING = (
    "print", "display", "pprint", "help", "dict", "list", "tuple", "type", "id", "repr", "str",
    "isinstance", "bool", "int", "set",
)  # fmt: skip
_SEEDING = (
    "manual_seed", "manual_seed_all", "seed", "set_printoptions", "zero_grad", "simplefilter",
    "use_deterministic_algorithms", "filterwarnings",
)  # fmt: skip
_WRITE_OUT = "write out what it comes to"


class Walk(Assigning):
    """Reads statements."""

    def run(self, body: Iterable[ast.stmt]) -> None:
        """All statements of a cell; what is wrong with each is kept."""
        for statement in body:
            try:
                self.statement(statement)
            except NodeError as error:
                self.keep(error)
                if len(self.mistakes) >= _MOST_MISTAKES:
                    return

    def statement(self, node: ast.stmt) -> None:
        """One statement.

        Raises:
            NodeError: it is none that is read.
        """
        self.count(node)
        match node:
            case ast.Import() | ast.ImportFrom():
                self._import(node)
            case ast.Assign() | ast.AnnAssign() | ast.AugAssign():
                self.assignment(node)
            case ast.Expr(value=value):
                self._expression(value)
            case ast.FunctionDef(name=name, decorator_list=[]):
                self.names[name] = self.defined(name, node)
            case ast.For() | ast.If() | ast.While() if self.only_shows(node):
                self.skip(node)
            case ast.For():
                self._loop(node)
            case ast.With():
                self._with_block(node)
            case ast.If() if is_main(node.test):
                self.block(node.body)
            case ast.ClassDef(name=name):
                self._class(name, node)
            case ast.Assert() | ast.Pass() | ast.Delete():
                self.skip(node)
            case _:
                raise self.refused(node)

    def _class(self, name: str, node: ast.ClassDef) -> None:
        """A class, which is refused where it is needed."""
        message = f"`{name}` is a class, and a class is not read"
        way_out = "write what its `forward` computes as a function, its weights as tensors"
        self.names[name] = Refused(NodeError("unsupported-syntax", message, node, way_out))
        self.skipped.append(node.lineno)

    def block(self, body: Iterable[ast.stmt]) -> None:
        """The statements of a block."""
        for statement in body:
            self.statement(statement)

    def only_shows(self, node: ast.For | ast.If | ast.While) -> bool:
        """Whether nothing but showing is done in a block."""
        for statement in (*node.body, *node.orelse):
            match statement:
                case ast.Pass() | ast.Break() | ast.Raise() | ast.Assert():
                    continue
                case ast.Expr(value=value) if self._is_showing(value):
                    continue
                case ast.If() if self.only_shows(statement):
                    continue
            return False
        return True

    def skip(self, node: ast.AST) -> None:
        """A statement that says nothing of the program.

        Raises:
            NodeError: something is done within it.
        """
        for part in ast.walk(node):
            name = part.id if isinstance(part, ast.Name) else getattr(part, "attr", "")
            is_acting = isinstance(part, ast.NamedExpr) or name in ACTING or name[:2] == "__"
            if is_acting and isinstance(part, ast.expr):
                raise NodeError("unsupported-syntax", "this does more than show a value", part)
            if isinstance(part, ast.Call) and self._differentiates(part):
                self.value(part)
        self.skipped.append(getattr(node, "lineno", 1))

    def _differentiates(self, node: ast.Call) -> bool:
        func = node.func
        if isinstance(func, ast.Attribute) and func.attr == "backward":
            return True
        root: ast.expr = func
        while isinstance(root, ast.Attribute):
            root = root.value
        if not isinstance(root, ast.Name) or isinstance(self.names.get(root.id), Refused):
            return False
        try:
            target = self.value(func) if isinstance(func, ast.Name | ast.Attribute) else None
        except NodeError:
            return False
        return isinstance(target, Library) and target.path == "torch.autograd.grad"

    def _import(self, node: ast.Import | ast.ImportFrom) -> None:
        for alias in node.names:
            if isinstance(node, ast.ImportFrom):
                if alias.name == "*" or node.level:
                    continue
                path = known_path(f"{node.module}.{alias.name}")
                self.names[alias.asname or alias.name] = Library(path)
            elif alias.asname:
                self.names[alias.asname] = Library(alias.name)
            else:
                root = alias.name.partition(".")[0]
                self.names[root] = Library(root)

    def _expression(self, node: ast.expr) -> None:
        """A statement that is an expression: it shows something, or differentiates."""
        if isinstance(node, ast.Constant):
            return
        if self._is_showing(node) or _is_showing_hook(node):
            self.skip(ast.copy_location(ast.Expr(node), node))
            return
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "step":
            message = "an optimizer moves the point, and a check is made at one"
            way_out = "give the cell up to `backward()`, without the loop around it"
            raise NodeError("unsupported-syntax", message, node, way_out)
        if self._grows(node):
            return
        thing = self.value(node)
        if isinstance(thing, Refused):
            raise thing.error
        if isinstance(thing, PythonValue | Gradient):
            return
        if not isinstance(thing, Series):
            self.last = self.as_quantity(thing, node)

    def _grows(self, node: ast.expr) -> bool:
        """Whether a statement was `items.append(x)`, of a list that has one name."""
        match node:
            case ast.Call(
                func=ast.Attribute(attr="append", value=ast.Name(id=name)), args=[item], keywords=[]
            ) if isinstance(series := self.names.get(name), Series):
                thing = self.tried(item)
                whole = Series((*series.items, thing), series.node)
                self.bind(name, whole, item)
                return True
        return False

    def _is_showing(self, node: ast.expr) -> bool:
        if not isinstance(node, ast.Call):
            return False
        func, path = node.func, list[str]()
        while isinstance(func, ast.Attribute | ast.Call):
            if isinstance(func, ast.Attribute):
                path.append(func.attr)
                func = func.value
            else:
                func = func.func
        if not isinstance(func, ast.Name):
            return False
        if not path and func.id in _SHOWING and func.id not in self.names:
            return True
        thing = self.named(func) if path or func.id in self.names else None
        library = thing.path.partition(".")[0] if isinstance(thing, Library) else ""
        return library in FIGURES or bool(path and path[0] in _SEEDING) or "grad" in path[1:]

    def _loop(self, node: ast.For) -> None:
        """A loop over a literal range or a list, written out."""
        if node.orelse:
            raise self.refused(node)
        for thing in self.rounds(node.iter):
            self.target(node.target, thing)
            self.block(node.body)

    def collected(self, item: ast.expr, loop: ast.comprehension, node: ast.expr) -> Series:
        """What a comprehension over a literal range or a list makes."""
        outer, items = self.names, list[Thing]()
        self.names = outer.new_child()
        try:
            for thing in self.rounds(loop.iter):
                self.count(node)
                self.target(loop.target, thing)
                items.append(self.value(item))
        finally:
            self.names = outer
        return Series(tuple(items), node)

    def rounds(self, node: ast.expr) -> Sequence[Thing]:
        """What the target of a loop stands for, round by round."""
        span = self.span(node)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            if node.func.id in ("zip", "enumerate"):
                return self._together(node.func.id, node)
            if node.func.id == "range" and 1 <= len(node.args) <= 3 and not node.keywords:
                ends = [self.value(argument) for argument in node.args]
                numbers = [end.value for end in ends if isinstance(end, PythonValue)]
                if len(numbers) == len(ends) and all(isinstance(n, int) for n in numbers):
                    if len(numbers) == 3 and not numbers[2]:
                        raise NodeError("bad-argument", "a range has no step of 0", node)
                    counted = range(*numbers)
                    # Not `len`: a range may be longer than an index.
                    if counted[MOST_ROUNDS : MOST_ROUNDS + 1]:
                        message = f"a loop is written out for at most {MOST_ROUNDS} rounds"
                        raise NodeError("too-large", message, node)
                    return [PythonValue(integer_term(n, span), n) for n in counted]
        elif isinstance(thing := self.value(node), Series):
            return thing.items[: MOST_ROUNDS + 1]
        message = "only a loop over `range` of numbers, or over a list, is written out"
        raise NodeError("unsupported-syntax", message, node, _WRITE_OUT)

    def _together(self, name: str, node: ast.Call) -> Sequence[Thing]:
        """The rounds of `zip(a, b)` or `enumerate(a)`."""
        if node.keywords or not node.args or (name == "enumerate" and len(node.args) > 1):
            raise NodeError("arity", f"`{name}` takes lists alone here", node)
        columns = [self.rounds(argument) for argument in node.args]
        if name == "enumerate":
            span = self.span(node)
            counted = [PythonValue(integer_term(k, span), k) for k in range(len(columns[0]))]
            columns = [counted, *columns]
        return [Series(row, node) for row in zip(*columns, strict=False)]

    def _with_block(self, node: ast.With) -> None:
        """What is computed under `torch.no_grad()` is cut off; another block is not read."""
        for item in node.items:
            call = item.context_expr
            target = self.value(call.func) if isinstance(call, ast.Call) else None
            path = target.path if isinstance(target, Library) else ""
            if path == "torch.enable_grad":
                continue
            if path not in ("torch.no_grad", "torch.inference_mode"):
                raise self.refused(node)
            before, self.is_cut = self.is_cut, True
            try:
                self.block(node.body)
            finally:
                self.is_cut = before
            return
        self.block(node.body)


_MOST_MISTAKES = 10


def _is_showing_hook(node: ast.expr) -> bool:
    """Whether a hook is set that shows a gradient and leaves it as it is."""
    match node:
        case ast.Call(func=ast.Attribute(attr="register_hook"), args=[hook], keywords=[]):
            if isinstance(hook, ast.Lambda) and isinstance(hook.body, ast.Call):
                hook = hook.body.func
            return isinstance(hook, ast.Name) and hook.id == _SHOWING[0]
    return False


def is_main(test: ast.expr) -> bool:
    """Whether a condition is that of a script: `__name__ == "__main__"`."""
    return isinstance(test, ast.Compare) and ast.unparse(test) == "__name__ == '__main__'"
