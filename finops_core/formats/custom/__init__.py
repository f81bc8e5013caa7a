"""Any CSV, such as a SaaS vendor's bill, through a mapping: some twenty lines of YAML in HOME/mappings.

A mapping names the vendor, says by which column names its files are known, where cost, currency and dates stand, and
which source column becomes which FOCUS column (docs/how-to/any-csv.md). It becomes a `Format` like any other, and so
keeps the same promises: costs exact, dates by a stated form, every row accounted for, anything unreadable refused with
its place.

    mapping     what a mapping may say (pydantic)
    dates       the forms of dates
    reading     YAML → mapping
    compiling   mapping → format
    guessing, suggesting   a file's header and first rows → YAML to start from
"""

from pathlib import Path

from finops_core.formats.custom.compiling import mapping_format
from finops_core.formats.custom.mapping import Mapping
from finops_core.formats.custom.reading import parse_mapping, read_mappings
from finops_core.formats.custom.suggesting import suggest
from finops_core.formats.format import Format

__all__ = ["Mapping", "load_mappings", "mapping_format", "parse_mapping", "suggest"]


def load_mappings(directory: Path) -> tuple[Format, ...]:
    """The formats of all mappings of a directory, one a YAML file; those that ask for most columns first.

    Raises InputRefused with file and field.
    """
    mappings = sorted(read_mappings(directory), key=lambda m: (-len(m.match), m.name))
    return tuple(mapping_format(mapping) for mapping in mappings)
