"""How files are written so that the same content is the same bytes."""

import gzip
import io
import json
from pathlib import Path
from typing import Any

import polars
import pyarrow
import pyarrow.parquet

_LEVEL = 4


def write_csv(path: Path, rows: polars.DataFrame, bom: bool = False) -> None:
    """A csv; gzipped where the name says so."""
    text = io.BytesIO()
    rows.write_csv(text, include_bom=bom)
    _write(path, text.getvalue())


def write_text(path: Path, text: str) -> None:
    _write(path, text.encode())


def write_json(path: Path, value: Any) -> None:
    write_text(path, json.dumps(value, indent=1, ensure_ascii=False) + "\n")


def write_parquet(path: Path, rows: pyarrow.Table) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pyarrow.parquet.write_table(rows, path, compression="snappy")


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(data, _LEVEL, mtime=0) if path.suffix == ".gz" else data)
