"""Hostile JSON lines: each line one object, no key twice, nothing nested without end; else refused with its line."""

import json

import pytest

from tests.ingest.hostile import ROWS, Fortress, fortress, json_lines

__all__ = ["fortress"]

GOOD = json_lines()
FIRST, SECOND, THIRD = GOOD.splitlines(keepends=True)
DEEP = b'{"x_Deep": ' + b'{"a":' * 5000 + b"1" + b"}" * 5001 + b"\n"

REFUSED: dict[str, tuple[bytes, int | None, str]] = {
    "half-a-line": (GOOD[:-60], 3, "no JSON"),
    "two-in-a-line": (FIRST.strip() + SECOND + THIRD, 1, "no JSON"),
    "commas": (GOOD.replace(b"}\n", b"},\n"), 1, "no JSON"),
    "word": (GOOD + b"hello\n", 4, "no JSON"),
    "number": (GOOD + b"5\n", 4, "no JSON object"),
    "array-line": (GOOD + b"[1, 2]\n", 4, "no JSON object"),
    "array": (json.dumps(ROWS).encode(), None, "a JSON array"),
    "pretty": (json.dumps(ROWS[0], indent=1).encode(), 1, "no JSON"),
    "deep": (GOOD + DEEP, 4, "nested too deeply"),
    "deep-first": (DEEP + GOOD, 1, "nested too deeply"),
    "twin-keys": (FIRST + b'{"BilledCost": "7", ' + SECOND[1:] + THIRD, 2, "'BilledCost' stands twice"),
    "twin-keys-of-no-cost": (FIRST + b'{"x_A": 1, "x_A": 2, ' + SECOND[1:] + THIRD, 2, "'x_A' stands twice"),
    "no-surrogate": (GOOD.replace(b'"Compute"', b'"\\ud800"', 1), None, "no JSON"),
    "empty-object": (GOOD + b"{}\n", 4, "BilledCost is missing"),
    "null-cost": (json_lines(BilledCost=None), 2, "BilledCost is missing"),
    "nul-in-a-cost": (json_lines(BilledCost="2.5\0"), 2, "is not a number"),
    "nul": (GOOD.replace(b"Compute", b"Comp\0te", 1), None, "NUL"),
    "latin": (FIRST + SECOND.replace(b"Compute", b"St\xe4rke") + THIRD, 2, "not UTF-8"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_json_that_is_refused(fortress: Fortress, name: str) -> None:
    data, row, words = REFUSED[name]
    refusal = fortress.refused(fortress.file(f"{name}.json", data))
    assert words in refusal.what and refusal.place is not None and refusal.place.row == row


@pytest.mark.parametrize("cost", [{"v": 1}, [1], True])
def test_a_cost_of_another_kind(fortress: Fortress, cost: object) -> None:
    refusal = fortress.refused(fortress.file("kind.json", json_lines(BilledCost=cost)))
    assert "is not a number" in refusal.what and refusal.place.column == "BilledCost"


@pytest.mark.parametrize(
    "data",
    [
        GOOD[:-1],
        GOOD.replace(b"\n", b"\n\n"),
        GOOD.replace(b"\n", b"\r\n"),
        b"\xef\xbb\xbf" + GOOD,
        GOOD.decode().encode("utf-16"),
    ],
)
def test_json_that_is_read_right(fortress: Fortress, data: bytes) -> None:
    assert fortress.read(fortress.file("odd.json", data))[0] == {"USD": "6.75"}
