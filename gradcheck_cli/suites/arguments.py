"""What `args` holds: for each argument of a function a value, as the option `--arg` takes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gradcheck_cli.code.arguments import read_arguments
from gradcheck_cli.language.constants import nonfinite
from gradcheck_cli.language.errors import UserError
from gradcheck_cli.suites.document import ListNode, ScalarNode
from gradcheck_cli.suites.kinds import SOME, Kind, Phrase
from gradcheck_cli.suites.mappings import NameMap
from gradcheck_cli.suites.numerals import TensorNumeral

if TYPE_CHECKING:
    from gradcheck_cli.records.json_schema import Schema
    from gradcheck_cli.suites.document import Document, YamlNode


@dataclass(frozen=True)
class ArgumentKind(Kind):
    """The value of one argument."""

    words: str = "a number, a text, true, false, nothing, or nested lists of numbers"

    def schema(self) -> Schema:
        """A scalar, or nested lists."""
        text = {"type": "string", "pattern": SOME}
        plain = {"type": ["number", "boolean", "null"]}
        lists = {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/tensor"}}
        return {"anyOf": [text, plain, lists]}

    def read(self, node: YamlNode, where: str, document: Document) -> str | None:
        """The words that `--arg` takes behind the name."""
        if isinstance(node, ListNode) and node.items:
            good = TensorNumeral(infinite=True).read(node, where, document) is not None
            return _words(node) if good else None
        if not isinstance(node, ScalarNode) or node.type == "broken":
            self.refuse(node, where, document)
            return None
        text, name = _words(node), where.strip("`")
        try:
            read_arguments([f"{name if name.isidentifier() else 'value'}={text}"])
        except UserError as error:
            if text.isidentifier():
                (mistake,) = error.mistakes
                way_out = f"write \"'{text}'\": a text stands in quotes within quotes"
                document.add_mistake(mistake.code, mistake.message, node, way_out)
            else:
                document.add_from(error.mistakes, node)
            return None
        return text


def _words(node: YamlNode) -> str:
    """A value on one line."""
    if isinstance(node, ListNode):
        return f"[{', '.join(map(_words, node.items))}]"
    assert isinstance(node, ScalarNode), "what was read holds lists and scalars"
    if node.type == "nothing":
        return "none"
    special = nonfinite(node.text)
    return node.text.strip() if special is None else repr(special)


_NAME = Phrase("bad-argument", r"^[^\W\d][\w.]*$(?!\n)", "`{text}` is no name of an argument")
ARGUMENTS = NameMap(ArgumentKind(), name=_NAME)
