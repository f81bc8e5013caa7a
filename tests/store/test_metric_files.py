"""Usage files: shared cost is split by what they hold now, and none is lost that a pool needs."""

import json
from decimal import Decimal
from pathlib import Path
from unittest.mock import Mock

import pytest

from finops_core import Ledger, Query
from finops_core.allocation import ruleset
from finops_core.analysis.ownership import preview
from finops_core.analysis.showback import showback, unsplit_by
from finops_core.errors import InputRefused, UsageError
from finops_core.quality.verify import verify
from finops_core.store import applying, metric_files
from finops_core.store.home import Home
from finops_core.store.load import load
from finops_core.store.ownership import in_force
from tests.exports import focus_row, write_focus

USAGE = "date,team,tb\n2026-09-05,search,{}\n2026-09-05,web,1\n"
POOL = {
    "name": "lake",
    "when": "ServiceName=Lake",
    "split": {"driver": {"kind": "table", "file": "tb.csv", "quantity": "tb"}},
    "fallback": {"fixed": {"search": "0.9", "web": "0.1"}},
}
RULES = {"name": "tag", "set": {"x_Team": {"tag": "team"}}}
FILES = {"allocation.yaml": json.dumps({"rules": [RULES], "pools": [POOL]})}


def rows(lake: str) -> list[dict[str, str]]:
    teams = [focus_row(Tags=json.dumps({"team": team})) for team in ("search", "web")]
    return [*teams, focus_row(ServiceName="Lake", Tags="", BilledCost=lake, EffectiveCost=lake)]


def usage(folder: Path, search: object, name: str = "tb.csv") -> Path:
    file = folder / name
    file.write_text(USAGE.format(search))
    return file


def shares(home: Home) -> dict[str, Decimal]:
    """What each team gets of the pool, USD."""
    found = showback(Ledger(home), Query("EffectiveCost", ["x_Team"]))
    return {team: cost for team, cost in found.select("x_Team", "shared").iter_rows() if cost}


@pytest.fixture
def split(home: Home, tmp_path: Path) -> Home:
    """A pool of 8 USD, three quarters of which search scanned."""
    load(home, [write_focus(tmp_path / "x.csv", rows("8"))])
    metric_files.add(home, usage(tmp_path, 3))
    applying.apply(home, FILES, "ada", "split the lake")
    assert shares(home) == {"search": Decimal(6), "web": Decimal(2)}
    return home


def test_a_file_in_place_of_another_splits_anew_at_once(split: Home, tmp_path: Path) -> None:
    assert metric_files.add(split, usage(tmp_path, 1))[2] is True
    assert shares(split) == {"search": Decimal(4), "web": Decimal(4)}
    assert all(check.agrees for check in verify(split))


def test_a_file_that_its_pool_cannot_read_is_refused_and_the_one_before_stays(
    split: Home, tmp_path: Path
) -> None:
    other = tmp_path / "other.csv"
    other.write_text("date,team,gb\n2026-09-05,search,1\n")
    with pytest.raises(InputRefused, match="tb"):
        metric_files.add(split, other, "tb.csv")
    assert (split.metrics / "tb.csv").read_text() == USAGE.format(3)
    assert shares(split) == {"search": Decimal(6), "web": Decimal(2)}


def test_a_file_that_a_pool_is_split_by_is_not_removed(split: Home, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is needed: without it the pool lake is split by its fallback"):
        metric_files.remove(split, "tb.csv")
    assert (split.metrics / "tb.csv").exists()
    metric_files.add(split, usage(tmp_path, 5, "spare.csv"))
    metric_files.remove(split, "spare.csv")
    assert list(metric_files.listed(split)) == ["tb.csv"]
    assert shares(split) == {"search": Decimal(6), "web": Decimal(2)}


def test_what_is_removed_reads_the_rules_in_force_once(
    split: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    several = {
        **POOL,
        "split": {"driver": {"kind": "table", "file": "tb*.csv", "quantity": "tb"}, "per": "month"},
    }
    files = {"allocation.yaml": json.dumps({"rules": [RULES], "pools": [several]})}
    other = tmp_path / "tb-2.csv"
    other.write_text("date,team,tb\n2026-09-06,web,4\n")
    metric_files.add(split, other)
    metric_files.add(split, usage(tmp_path, 5, "spare.csv"))
    applying.apply(split, files, "ada", "by month")
    assert shares(split) == {"search": Decimal(3), "web": Decimal(5)}
    parsed = Mock(wraps=ruleset.parse)
    monkeypatch.setattr(ruleset, "parse", parsed)
    metric_files.remove(split, "spare.csv")
    assert parsed.call_count == 1
    metric_files.remove(split, "tb-2.csv")
    assert parsed.call_count == 2
    assert shares(split) == {"search": Decimal(6), "web": Decimal(2)}
    with pytest.raises(UsageError, match="is needed"):
        metric_files.remove(split, "tb.csv")


def test_a_file_that_is_gone_keeps_no_bill_from_being_loaded(split: Home, tmp_path: Path) -> None:
    (split.metrics / "tb.csv").unlink()
    load(split, [write_focus(tmp_path / "y.csv", rows("10"))])
    assert shares(split) == {"search": Decimal(9), "web": Decimal(1)}
    (gap,) = in_force(split).gaps()
    assert gap.startswith("the pool lake is split by its fallback, since tb.csv: there is no such file")
    metric_files.add(split, usage(tmp_path, 3))
    assert (shares(split), in_force(split).gaps()) == ({"search": Decimal("7.5"), "web": Decimal("2.5")}, [])


def test_rules_whose_file_is_gone_are_not_applied(home: Home, tmp_path: Path) -> None:
    load(home, [write_focus(tmp_path / "x.csv", rows("8"))])
    text = f"rules: [{json.dumps(RULES)}]\npools:\n- {json.dumps({**POOL, 'name': 'other', 'split': {'even': 'all'}})}\n- {json.dumps(POOL)}\n"
    said = "allocation.yaml, line 4: the pool lake is split by 'tb.csv': there is no such file. Add it: farthing drivers add tb.csv"
    for refused in (lambda f: applying.apply(home, f, "ada", "x"), lambda f: preview(Ledger(home), f)):
        with pytest.raises(InputRefused) as found:
            refused({"allocation.yaml": text})
        assert str(found.value) == said
    assert in_force(home).number == 0


def test_what_a_new_version_leaves_out_is_named(split: Home) -> None:
    before = in_force(split).rules
    applying.apply(split, {"allocation.yaml": json.dumps({"rules": [RULES]})}, "bob", "no pool")
    assert applying.dropped(before, in_force(split).rules) == ["the pool lake"]


def test_what_keeps_pools_from_being_split_is_named() -> None:
    asked = Query("EffectiveCost", ["x_Team"], where=["CommitmentDiscountStatus=Unused", "ServiceName=A"])
    assert unsplit_by(asked) == ("CommitmentDiscountStatus",)
    assert unsplit_by(Query("EffectiveCost", ["x_Team", "Month"], where="ServiceName=A")) == ()
