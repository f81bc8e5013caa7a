"""Whether files were loaded before: by what is in them, and by the rules that make charges of them."""

import hashlib
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable

from finops_core.ingest.discover import ExportSet

READING = ("finops_core.focus", "finops_core.formats", "finops_core.ingest")
"""Packages that decide which charges a file becomes: code, and the tables beside it."""
ALLOCATING = ("finops_core.vocabulary", "finops_core.allocation")
"""Packages that decide who owns a charge."""


def fingerprint_of(export: ExportSet) -> str:
    """A digest of the set's files by content and of the rules that map them: the same digest, the same charges."""
    format = export.format
    digest = hashlib.sha256(rules_digest(READING))
    digest.update(repr((format.name, format.columns, format.drop, format.derive)).encode())
    for path in sorted({t.file.path for t in export.tables}):
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


@cache
def rules_digest(packages: tuple[str, ...]) -> bytes:
    """A digest of the product's own rules. After an upgrade that may read a file otherwise, the file counts as changed."""
    digest = hashlib.sha256()
    for package in packages:
        for path, content in sorted(_contents(resources.files(package), package)):
            digest.update(f"{path}\0{len(content)}\0".encode() + content)
    return digest.digest()


def _contents(folder: Traversable, path: str) -> list[tuple[str, bytes]]:
    found: list[tuple[str, bytes]] = []
    for entry in folder.iterdir():
        name = f"{path}/{entry.name}"
        if entry.is_dir():
            found += _contents(entry, name) if entry.name != "__pycache__" else []
        elif not entry.name.endswith(".pyc"):
            found.append((name, entry.read_bytes()))
    return found
