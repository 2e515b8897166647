"""A page of the manual as a terminal shows it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from rich.markdown import CodeBlock, Markdown, MarkdownElement, TableElement
from rich.table import Table
from rich.text import Text

from gradcheck_cli.reports.terminal import print_to_text

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult


class _Code(CodeBlock):
    """Lines as they are, however long: what is broken or cut cannot be copied."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        lines = str(self.text).rstrip().split("\n")
        yield Text(
            "\n".join(f"  {line}" for line in lines), "cyan", no_wrap=True, overflow="ignore"
        )


class _Table(TableElement):
    """Columns that are never too narrow for a word: Rich would end it with an ellipsis."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        rows = [*([self.header.row] if self.header else []), *(self.body.rows if self.body else [])]
        columns = zip(*(row.cells for row in rows if row), strict=True)
        words = [
            [word for cell in cells for word in cell.content.plain.split()] for cells in columns
        ]
        for table in super().__rich_console__(console, options):
            assert isinstance(table, Table)
            for column, known in zip(table.columns, words, strict=True):
                column.min_width = max(map(cell_len, known), default=0)
            yield table


class _Page(Markdown):
    elements: ClassVar[dict[str, type[MarkdownElement]]] = {
        **Markdown.elements,
        "fence": _Code,
        "code_block": _Code,
        "table_open": _Table,
    }


def lay_out(text: str, width: int, *, color: bool) -> str:
    """A section of a page, wrapped at `width` columns; a word that is longer stays whole."""
    prose = re.sub(r"^```.*?^```$|^\|.*?$", "", text, flags=re.DOTALL | re.MULTILINE)
    # Bullets and numbers of lists stand before a word.
    least = 4 + max(map(len, prose.split()), default=0)
    return print_to_text(_Page(text, hyperlinks=False), max(width, least), color=color)
