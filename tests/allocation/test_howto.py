"""The rules of the how-to hold together as they are written there."""

import re
from pathlib import Path

from finops_core.allocation import ruleset
from finops_core.allocation.ruleset import FILE

TEXT = (Path(__file__).parents[2] / "docs/how-to/allocation.md").read_text("utf-8")


def test_the_case_of_six_teams_is_a_rule_set() -> None:
    blocks = re.findall(r"```(\w+)\n(.*?)```", TEXT, re.S)
    case = next(text for kind, text in blocks if kind == "yaml" and "observability" in text)
    teams = next(text for kind, text in blocks if kind == "csv")
    found = ruleset.parse({FILE: case, "teams.csv": teams})
    assert len(found.directories["teams"]) == 6
    rows = [line.strip("| ").split(" | ") for line in TEXT.splitlines() if line.startswith("| ")]
    table = {row[0]: row for row in rows}
    for pool in found.pools:
        row = " ".join(table[pool.name])
        assert pool.why in row and pool.approved_by in row
    others = [text for kind, text in blocks if kind == "yaml" and text != case and "directories" not in text]
    assert [len(ruleset.parse({FILE: text}).rules) for text in others] == [2]
