"""The pack as Markdown."""

from finops_core.reporting.pack.content import CHANGE, COUNT, MONEY, SHARE, Table, written
from finops_core.reporting.pack.making import Pack

_RIGHT = (MONEY, CHANGE, SHARE, COUNT)


def to_markdown(pack: Pack) -> str:
    """Sections as headings, words as paragraphs, tables as tables."""
    lines = [f"# {pack.title}", "", f"*{pack.provenance}*", ""]
    for section, part in pack.parts:
        lines += [f"## {section.title}", ""]
        for text in part.words:
            lines += [_plain(text), ""]
        for table in part.tables:
            lines += [*_table(table), ""]
    return "\n".join(lines)


def _table(table: Table) -> list[str]:
    head = "| " + " | ".join(_plain(c.label) for c in table.columns) + " |"
    rule = "|" + "|".join("---:" if c.kind in _RIGHT else "---" for c in table.columns) + "|"
    rows = [_row(table, row) for row in table.rows]
    total = [_row(table, table.total, bold=True)] if table.total is not None else []
    return (
        [f"**{_plain(table.title)}**", "", head, rule, *rows, *total]
        if table.title
        else [head, rule, *rows, *total]
    )


def _row(table: Table, row: object, bold: bool = False) -> str:
    cells = [_plain(written(value, c.kind)) for value, c in zip(row, table.columns, strict=True)]  # type: ignore[call-overload]
    return "| " + " | ".join(f"**{cell}**" if bold and cell else cell for cell in cells) + " |"


def _plain(text: str) -> str:
    """What a reader of Markdown sees as it is."""
    return " ".join(text.replace("|", "\\|").replace("<", "&lt;").split())
