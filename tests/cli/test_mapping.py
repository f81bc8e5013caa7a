"""`farthing mapping`, as a shell sees it; and the how-to's own example."""

import re
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

from finops_core.store.home import Home
from finops_core.store.preview import preview
from tests.mapped import ACME, BILL
from tests.shell import farthing

HOW_TO = Path(__file__).parents[2] / "docs" / "how-to" / "any-csv.md"


def test_suggest_fill_in_check_and_load(home: Home, tmp_path: Path) -> None:
    bill, mapping = tmp_path / "bill.csv", tmp_path / "acme.yaml"
    bill.write_text(BILL)
    suggested = farthing(home, "mapping", "suggest", bill)
    assert suggested.returncode == 0 and "\ncost: Amount" in suggested.stdout
    mapping.write_text(suggested.stdout.replace("name: vendor", "name: acme"))
    alone = farthing(home, "mapping", "check", mapping)
    assert (alone.returncode, alone.stderr) == (0, "")
    assert alone.stdout.endswith("in order; reads Amount, Day, Currency, Plan as the format custom:acme\n")
    checked = farthing(home, "mapping", "check", mapping, bill)
    assert checked.returncode == 0
    assert "2026-09: 2 rows, 12.500000000000000001 USD billed" in checked.stdout
    assert checked.stdout.endswith("reconciled; would be added\n")
    assert not home.lake.exists() and not home.mappings.exists()


def test_what_is_wrong_is_said_in_words(home: Home, tmp_path: Path) -> None:
    wrong, bill = tmp_path / "wrong.yaml", tmp_path / "bill.csv"
    wrong.write_text(ACME.replace("cost: Amount", "costs: Amount"))
    refused = farthing(home, "mapping", "check", wrong)
    assert refused.returncode == 3 and refused.stdout == ""
    assert re.fullmatch(r"farthing: .*wrong\.yaml: cost: is missing; costs: is no field .*\n", refused.stderr)
    wrong.write_text(ACME)
    bill.write_text(BILL.replace("Plan", "Tarif"))
    refused = farthing(home, "mapping", "check", wrong, bill)
    assert refused.returncode == 3 and refused.stdout == ""
    assert "bill.csv, row 1: lacks 'Plan', by which the mapping 'acme' knows its files" in refused.stderr


def test_help_loads_nothing_heavy() -> None:
    heavy = "{'duckdb', 'polars', 'pyarrow', 'ibis', 'pydantic', 'boto3', 'deltalake', 'sqlalchemy'}"
    code = f"import sys, finops_core.cli; print(sorted({heavy} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "[]\n"


def test_the_example_of_the_how_to(home: Home, tmp_path: Path) -> None:
    blocks = re.findall(r"^```(?:yaml)?\n(.*?)^```", HOW_TO.read_text("utf-8"), re.M | re.S)
    bill, mapping = blocks
    (tmp_path / "bill.csv").write_text(bill)
    (month,) = preview(home, [tmp_path / "bill.csv"], mapping=mapping).months
    assert (month.format, month.rows_stored, month.reconciled) == ("custom:observa", 3, True)
    assert month.totals["USD"].billed == Decimal("1680.88") and month.warnings == ()
