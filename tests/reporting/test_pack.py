"""The scorecard and the pack: their figures are those of a Query, in every form."""

import io
import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest
from pypdf import PdfReader

from finops_core import Ledger, Query
from finops_core.analysis.cents import rounded
from finops_core.reporting.pack import FORMS, Pack, make, sections
from finops_core.reporting.pack.content import CHANGE, COUNT, MONEY, Column, Document, Part, Table, written
from finops_core.reporting.pack.pdf import to_pdf
from finops_core.reporting.pack.workbook import to_xlsx
from finops_core.reporting.scorecard import kpis, scorecard
from finops_core.reporting.scorecard.kpi import MET, MISSED, NEAR, UNKNOWN, Line
from finops_core.reporting.situation import Situation, situation
from finops_core.store.home import Home
from finops_core.store.load import load
from finops_core.store.savings import add, move
from finops_core.store.state import State
from finops_core.store.unit_metrics import add as add_units
from tests.exports import focus_row, write_focus
from tests.shell import farthing

SEPTEMBER, OCTOBER = date(2026, 9, 1), date(2026, 10, 1)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Two months of two services, of search and of nobody, in dollars and euros, with cents that do not come out even."""
    folder = tmp_path_factory.mktemp("pack")
    found = Home(folder / "home")
    for month, days, factor in ((9, 30, 1), (10, 12, 2)):
        rows = [
            focus_row(
                EffectiveCost=f"{Decimal(cost) * factor}", BilledCost=f"{Decimal(cost) * factor}", ServiceName=service, BillingCurrency=currency,
                Tags=tags, BillingPeriodStart=f"2026-{month:02}-01T00:00:00Z", BillingPeriodEnd=f"2026-{month + 1:02}-01T00:00:00Z",
                ChargePeriodStart=f"2026-{month:02}-{day:02}T00:00:00Z",
                ChargePeriodEnd=f"2026-{month:02}-{day + 1:02}T00:00:00Z" if day < 30 else "2026-10-01T00:00:00Z",
            )
            for day in range(1, days + 1)
            for service, cost, currency, tags in (
                ("Disks | and <more>", "1.333333", "USD", '{"team": "search"}'),
                ("Machines", "1000.006", "USD", ""),
                ("Machines", "2.005", "EUR", '{"team": "web"}'),
            )
        ]  # fmt: skip
        load(found, [write_focus(folder / f"{month}.csv", rows)])
    units = folder / "orders.csv"
    units.write_text("date,orders\n" + "".join(f"2026-09-{day:02},100\n" for day in range(1, 31)))
    add_units(found, units)
    (item,) = add(
        State(found),
        [{"title": "Fewer disks", "currency": "USD", "expected_monthly": "3", "where": "ServiceName~Disks", "baseline_start": "2026-09-01", "baseline_end": "2026-09-11"}],
        "petra",
    )  # fmt: skip
    move(State(found), item.key, "done", "dora", done_on=date(2026, 9, 11))
    return found


@pytest.fixture(scope="module")
def pack(home: Home) -> Pack:
    return Pack(situation(Ledger(home), SEPTEMBER))


def totals(home: Home, by: str) -> dict[str, Decimal]:
    found = Ledger(home).query(Query("EffectiveCost", by=[by], start=SEPTEMBER, end=OCTOBER))
    summed: dict[str, Decimal] = {}
    for row in found.iter_rows(named=True):
        summed[row["BillingCurrency"]] = summed.get(row["BillingCurrency"], Decimal(0)) + row["EffectiveCost"]
    return summed


def test_every_section_is_in_every_form_with_the_totals_of_a_query(home: Home, pack: Pack) -> None:
    said = {section.name for section, _ in pack.parts}
    assert said >= {
        "summary",
        "spend",
        "forecast",
        "anomalies",
        "units",
        "savings",
        "ownership",
        "scorecard",
        "risks",
        "actions",
    }
    assert len(sections()) == len({section.order for section in sections()}) == 12
    made = {form: make(pack, form) for form in FORMS}
    pdf = " ".join(page.extract_text() for page in PdfReader(io.BytesIO(made["pdf"])).pages)
    markdown = made["md"].decode()
    book = openpyxl.load_workbook(io.BytesIO(made["xlsx"]))
    spend = [row for row in book["Spend and what moved it"].iter_rows(values_only=True) if row[0] == "Total"]
    for place, (code, total) in enumerate(sorted(totals(home, "x_Team").items(), reverse=True)):
        cents = rounded(total)
        assert f"{cents:,.2f}" in pdf and f"{cents:,.2f}" in markdown
        # By team and by service: both tables close with the query's total.
        assert [Decimal(str(row[1])) for row in spend[2 * place : 2 * place + 2]] == [cents, cents]
        summary = next(row for row in book["Summary"].iter_rows(values_only=True) if row[0] == code)
        assert Decimal(str(summary[1])) == cents
    assert make(pack, "pdf") == made["pdf"]


def test_every_table_with_a_total_sums_to_it_exactly(pack: Pack) -> None:
    checked = 0
    for section, part in pack.parts:
        for table in part.tables:
            for place, column in enumerate(table.columns):
                if table.total is None or column.kind not in (MONEY, CHANGE):
                    continue
                cells = [row[place] for row in table.rows if row[place] is not None]
                assert sum(cells) == table.total[place], (section.name, table.title, column.label)  # type: ignore[arg-type]
                checked += 1
    assert checked >= 12


def test_amounts_of_any_size_are_numbers_with_exact_text_beside_large_ones() -> None:
    columns = [Column("Service"), Column("Cost", MONEY), Column("Change", CHANGE), Column("Rows", COUNT)]
    huge = Decimal("12345678901234.565")
    rows = [["Machines", huge, Decimal(10) ** 13, 3], ["Disks", Decimal("1.005"), Decimal(-1), None]]
    table = Table("Costs", columns, rows, ["Total", sum(r[1] for r in rows), None, 3])  # type: ignore[misc]
    small = Table("Small", columns[:2], [["Disks", Decimal(10) ** 15]])
    made = to_xlsx(Document("t", "p", date(2026, 10, 1), [("Spend", Part((), [table, small]))]))
    sheet = openpyxl.load_workbook(io.BytesIO(made))["Spend"]
    cells = [row for row in sheet.iter_rows(values_only=True) if row[0] is not None][2:]
    assert cells == [
        ("Service", "Cost", "Change", "Rows", "Cost (exact)"),
        ("Machines", 12345678901234.56, 10**13, 3, "12345678901234.56"),
        ("Disks", 1.0, -1, None, "1.00"),
        ("Total", 12345678901235.57, None, 3, "12345678901235.57"),
        ("Small", None, None, None, None),
        ("Service", "Cost", None, None, None),
        ("Disks", 10**15, None, None, None),
    ]


def test_names_from_bills_cannot_break_the_page(pack: Pack) -> None:
    assert "| Disks \\| and &lt;more> |" in make(pack, "md").decode()
    assert written(Decimal("-1234.565"), MONEY) == "−1,234.56" and written(Decimal("0.005"), CHANGE) == "0.00"


def test_on_paper_nothing_is_cut_and_no_total_stands_alone() -> None:
    name = "checkout × Amazon Elastic Compute Cloud, " + "of-a-name-that-has-no-blank" * 4
    rows = [[f"{number} {name if number == 7 else 'row'}", Decimal(number)] for number in range(46)]
    columns = [Column("What"), Column("A long heading of an amount of money in a month", MONEY, 0.4)]
    for count in range(34, 46):
        table = Table(
            "Costs", columns, rows[:count], ["Total", sum((Decimal(n) for n in range(count)), Decimal(0))]
        )
        made = to_pdf(Document("t", "p", date(2026, 10, 1), [("Spend", Part((), [table]))]))
        pages = [" ".join(page.extract_text().split()) for page in PdfReader(io.BytesIO(made)).pages]
        assert name.replace(" ", "") in pages[0].replace(" ", "").replace("7.00", "")
        assert "…" not in "".join(pages)
        last = next(page for page in pages if "Total" in page)
        assert f"{count - 1} row" in last and "A long heading" in last


def test_fees_that_no_use_carries_are_in_the_pack(tmp_path: Path) -> None:
    """Google's earlier commitments: covered use costs nothing, its fee stands apart, and what of it was idle nobody knows."""
    held = {"CommitmentDiscountId": "cud", "EffectiveCost": "0", "ContractedCost": "100", "BilledCost": "0"}
    rows = [
        focus_row(CommitmentDiscountStatus="Used", **held),
        focus_row(**{**held, "ChargeCategory": "Purchase", "EffectiveCost": "72", "BilledCost": "72"}),
    ]
    load(Home(tmp_path / "home"), [write_focus(tmp_path / "focus.csv", rows)])
    told = make(Pack(situation(Ledger(Home(tmp_path / "home")), date(2026, 9, 1))), "md").decode()
    assert "| Currency | Used | Idle | Fees | Utilisation |" in told
    assert "| USD | 0.00 |  | 72.00 |  | 100 % | 28 % | +28.00 |" in told


def test_a_running_month_is_told_against_the_same_days(home: Home) -> None:
    running = Pack(situation(Ledger(home), OCTOBER))
    (summary,) = (part for section, part in running.parts if section.name == "summary")
    assert "October 2026 so far cost" in summary.words[0]
    assert "100 % more than the same days of the month before" in summary.words[0]


def test_the_command_writes_what_is_asked_for(home: Home, tmp_path: Path) -> None:
    ran = farthing(home, "pack", "--month", "2026-09", "--out", str(tmp_path / "out"), "--format", "md")
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["farthing-pack-2026-09.md"]
    assert ran.stdout.strip().endswith("farthing-pack-2026-09.md")
    assert farthing(home, "pack", "--format", "docx").returncode == 2


def test_indicators_are_those_of_their_analyses(home: Home) -> None:
    found = situation(Ledger(home), SEPTEMBER)
    lines = {(line.kpi.name, line.currency): line for line in scorecard(found)}
    by_team = Ledger(home).query(
        Query("EffectiveCost", by=["x_Team"], start=SEPTEMBER, end=OCTOBER, where="BillingCurrency=USD")
    )
    costs = dict(by_team.select("x_Team", "EffectiveCost").iter_rows())
    allocated = lines["allocated", "USD"].value
    assert allocated is not None and abs(allocated - costs["search"] / sum(costs.values())) < Decimal("1e-9")
    assert lines["allocated", "EUR"].value == 1 and lines["allocated", "EUR"].state == MET
    assert lines["reconciled", ""].value == 1
    # Nothing changed after the baseline: 0 saved of 2 planned (20 of 30 days of 3 a month).
    assert lines["savings-realised", "USD"].value == 0 and lines["savings-realised", "USD"].state == MISSED
    assert len({kpi.name for kpi in kpis()}) == len(kpis()) == 13


def test_targets_are_set_by_people(home: Home) -> None:
    assert (
        farthing(home, "scorecard", "target", "allocated", "--target", "99.9 %", "--owner", "Ana").returncode
        == 0
    )
    told = json.loads(farthing(home, "scorecard", "--json", "--month", "2026-09").stdout)["scorecard"]
    (line,) = [one for one in told if one["name"] == "allocated" and one["BillingCurrency"] == "EUR"]
    assert (line["target"], line["owner"], line["state"], line["page"]) == (
        "0.999",
        "Ana",
        "met",
        "/allocation",
    )
    assert farthing(home, "scorecard", "target", "gold").returncode == 2
    assert farthing(home, "scorecard", "target", "allocated", "--target", "many").returncode == 2


@pytest.mark.parametrize(
    ("value", "state"), [("0.95", MET), ("0.9", NEAR), ("0.85", MISSED), (None, UNKNOWN)]
)
def test_states_of_an_indicator(value: str | None, state: str) -> None:
    kpi = next(kpi for kpi in kpis() if kpi.name == "allocated")
    line = Line(kpi, "USD", SEPTEMBER, Decimal(value) if value else None, Decimal("0.95"), "x", ())
    assert line.state == state


def test_a_month_is_the_last_whole_one(home: Home) -> None:
    assert situation(Ledger(home)).month == SEPTEMBER
    assert isinstance(situation(Ledger(home)), Situation)
