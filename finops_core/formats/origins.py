"""Where a column of a charge comes from: the columns of the export that its expression is made of."""

import re
from collections.abc import Iterator

from finops_core.formats.expressions import DEFINITION, READ
from finops_core.formats.format import Format, Header


def source_columns(format: Format, expression: str) -> tuple[str, ...]:
    """The columns of an export that an expression is made of, through the format's definitions, by their canonical names.

    Of definitions that depend on a file's columns, those for a file without any are followed.
    """
    definitions = format.definitions(Header("csv", ()))
    seen: set[str] = set()

    def found(text: str) -> Iterator[str]:
        for match in re.finditer(f"{DEFINITION.pattern}|{READ.pattern}", text):
            name = match[1]
            if name is None:
                yield next(group for group in match.groups()[2:] if group is not None)
            elif name in definitions and name not in seen:
                seen.add(name)
                yield from found(definitions[name])

    return tuple(dict.fromkeys(found(expression)))
