"""The mappings of a home: one YAML file each, in HOME/mappings."""

import os
from pathlib import Path

from finops_core.errors import InputRefused, UsageError
from finops_core.formats.custom import parse_mapping
from finops_core.formats.custom.reading import SUFFIXES, read_mapping
from finops_core.store.home import Home, full_disk_in_words, sync


def save_mapping(home: Home, text: str, replace: bool = False) -> Path:
    """Stores a mapping as HOME/mappings/NAME.yaml, or in the file that already holds the mapping of this name.

    Returns the file. The same text again changes nothing. Raises InputRefused where the YAML is no mapping, and
    UsageError where there is another mapping of this name and `replace` is not set, or where the file of this name
    holds a mapping of another.
    """
    mapping = parse_mapping(text, "the mapping")
    target = _file_of(home, mapping.name) or home.mappings / f"{mapping.name}.yaml"
    if target.exists():
        if target.read_text("utf-8-sig") == text:
            return target
        _refuse_overwriting(target, mapping.name, replace)
    with full_disk_in_words(home.path):
        _write(target, text, replace)
    return target


def _file_of(home: Home, name: str) -> Path | None:
    """The file that holds the mapping of this name, whatever it is called; broken files hold none."""
    for file in sorted(home.mappings.glob("*")):
        if file.suffix.lower() in SUFFIXES and file.is_file():
            try:
                if read_mapping(file).name == name:
                    return file
            except InputRefused:
                continue
    return None


def _refuse_overwriting(target: Path, name: str, replace: bool) -> None:
    try:
        held = read_mapping(target).name
    except InputRefused:
        held = None
    if held != name:
        what = f"holds the mapping {held!r}" if held else "holds something that is no mapping"
        raise UsageError(f"{target} {what}: give this one another name, or move that file away")
    if not replace:
        raise UsageError(
            f"there is already another mapping {name!r} ({target}): replace it, or rename this one"
        )


def _write(target: Path, text: str, replace: bool) -> None:
    """Writes beside the target, then puts it in place at once; without `replace`, only where nothing is."""
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        partial.write_text(text, "utf-8")
        sync(partial)
        if replace:
            os.replace(partial, target)
        else:
            os.link(partial, target)
        sync(target.parent)
    except FileExistsError:
        raise UsageError(f"{target} was saved by somebody else in this moment: look at it first") from None
    finally:
        partial.unlink(missing_ok=True)
