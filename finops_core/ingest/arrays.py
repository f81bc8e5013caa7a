"""Arrays in a cell of text: JSON, or as Python writes them (single quotes, None, NumPy without commas)."""

import ast
import json
import re
from decimal import Decimal
from typing import Any

_TOKEN = re.compile(
    r"""(?P<text>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")|\b(?P<word>None|True|False)\b"""
    r"""|\bDecimal\((?P<exact>'[^']*'|"[^"]*")\)|(?P<gap>\}\s+\{)""",
    re.DOTALL,
)
_WORDS = {"None": "null", "True": "true", "False": "false"}


def array_json(text: str | None) -> str | None:
    """The JSON of a Python literal that is a list, numbers as they are written; None where it is none."""
    if text is None:
        return None
    try:
        found = _TOKEN.sub(_json_of, text)
        return found if isinstance(json.loads(found), list) else None
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return None


def parse_array(text: str) -> list[Any] | None:
    """An array written as JSON or as a Python literal, its numbers exact; empty for an empty cell, None where it is none."""
    if not text.strip():
        return []
    try:
        found = json.loads(text, parse_float=Decimal)
    except (json.JSONDecodeError, RecursionError):
        written = array_json(text)
        found = json.loads(written, parse_float=Decimal) if written is not None else None
    return found if isinstance(found, list) else None


def _json_of(token: re.Match[str]) -> str:
    if token["text"]:
        return json.dumps(ast.literal_eval(token["text"]))
    if token["word"]:
        return _WORDS[token["word"]]
    return token["exact"][1:-1] if token["exact"] else "}, {"
