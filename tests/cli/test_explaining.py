"""`farthing allocate why`, `audit` and `suggest`, as a shell sees them."""

import json
from pathlib import Path

from finops_core.store.home import Home
from finops_core.store.load import load
from tests.exports import focus_row, write_focus
from tests.shell import Ran, farthing


def test_a_charge_is_explained_audited_and_others_find_an_owner(home: Home, tmp_path: Path) -> None:
    rows = [focus_row(EffectiveCost="19"), focus_row(EffectiveCost="3", Tags="")]
    load(home, [write_focus(tmp_path / "focus.csv", rows)])

    def run(*words: str) -> Ran:
        return farthing(home, "allocate", *words)

    (why,) = json.loads(run("why", "--where", "x_Team=search", "--json").stdout)["charges"]
    assert (why["owners"][0]["rule"], why["origin"]["x_Row"]) == ("team tag", 2)
    suggested = json.loads(run("suggest", "--json").stdout)["suggestions"]
    assert [(s["owner"], s["recovers"]) for s in suggested] == [("search", {"USD": "3"})]

    sample = tmp_path / "sample.csv"
    assert run("audit", "--sample", "5", "--out", str(sample)).returncode == 0
    text = sample.read_text("utf-8")
    assert text.count("\n") == 2 and text.endswith(",,\n")
    sample.write_text(text.removesuffix(",,\n") + ",yes,\n", "utf-8")
    told = run("audit", "--confirmed", str(sample), "--record", "--who", "ana")
    assert json.loads(told.stdout)["correct"] == 1 and told.stderr.startswith("1 of 1 right: 100.0 %")
