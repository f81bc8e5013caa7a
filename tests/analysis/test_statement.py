"""Statements and journals: every line exact, every total the ledger's own, to the cent where finance books."""

import io
from datetime import date
from decimal import Decimal
from pathlib import Path
from unittest.mock import patch

import openpyxl
import polars
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finops_core import Ledger, Query
from finops_core.allocation import ruleset
from finops_core.analysis import closing
from finops_core.analysis.cents import CENT, cents, rounded, total
from finops_core.analysis.closing import COSTS, Month
from finops_core.analysis.journal import journal
from finops_core.analysis.paper import Paper
from finops_core.analysis.statement import Statements, _table, statements
from finops_core.analysis.statement_pdf import to_pdf
from finops_core.cli import app
from finops_core.errors import InputRefused, UsageError
from finops_core.model.export import to_xlsx
from finops_core.store import applying, audit
from finops_core.store.budgets import BudgetLine, enter
from finops_core.store.closes import closes
from finops_core.store.home import Home
from finops_core.store.journal_accounts import Accounts, accounts
from finops_core.store.load import load
from finops_core.store.state import State
from tests.closed_books import CHARGES, COST, Books
from tests.exports import focus_row, write_focus

D = Decimal


def _key(
    team: str | None, centre: str | None, kind: str, rule: str, service: str, currency: str = "USD"
) -> tuple:
    return (currency, team, centre, kind, rule, service)


AUGUST = {
    _key("search", "CC-1", "direct", "", "EC2"): (D("90"), D("100.005")),
    _key("search", "CC-1", "rule", "by account", "S3"): (D("10"), D("10")),
    _key("search", "CC-1", "shared", "cluster", "EKS"): (D("30"), D("30")),
    _key("shop", "CC-2", "shared", "cluster", "EKS"): (D("70"), D("70")),
    _key(None, None, "unallocated", "", "EC2"): (D("5"), D("5")),
}
SEPTEMBER = {
    _key("search", "CC-1", "direct", "", "EC2"): (D("100"), D("110.000000000000000001")),
    _key("search", "CC-1", "shared", "cluster", "EKS"): (D("25"), D("25")),
    _key("search", "CC-1", "shared", "cluster", "EBS"): (D("15"), D("15")),
    _key("shop", "CC-2", "shared", "cluster", "EKS"): (D("60"), D("60")),
    _key("shop", "CC-2", "direct", "", "EC2", "EUR"): (D("-3"), D("-3.333")),
    _key(None, None, "unallocated", "", "EC2"): (D("7"), D("7")),
}


@pytest.fixture
def found(home: Home) -> Statements:
    """September by team; August was closed, then 2 of search's direct cost became shop's."""
    books, state = Books({"2026-08": AUGUST, "2026-09": SEPTEMBER}), State(home)
    with books.in_place():
        closing.close(books, state, "2026-08", "fin", "month end", anyway=True)  # type: ignore[arg-type]
        restated = {_key("search", "CC-1", "direct", "", "EC2"): (D("88"), D("98.005"))}
        restated |= {_key("shop", "CC-2", "direct", "", "EC2"): (D("2"), D("2"))}
        books.charges["2026-08"] = {**AUGUST, **restated}
        return statements(books, state, "2026-09")  # type: ignore[arg-type]


def test_a_statement_has_every_line_exactly(found: Statements) -> None:
    names = ["BillingCurrency", "Kind", "Line", *COSTS, "PreviousEffectiveCost", "PoolEffectiveCost"]
    pool = D(100)
    assert found.owners() == ["search", "shop", "(none)"]
    assert found.of("search").table.select(names).rows() == [
        ("USD", "direct", "EC2", D(100), D("110.000000000000000001"), D("100.005"), None),
        ("USD", "direct", "S3", D(0), D(0), D(10), None),
        ("USD", "shared", "cluster", D(40), D(40), D(30), pool),
        ("USD", "adjustment", "Adjustment for 2026-08", D(-2), D(-2), None, None),
        ("USD", "total", "Total", D(138), D("148.000000000000000001"), D("140.005"), None),
    ]
    assert found.of("shop").table.select(names).rows() == [
        ("EUR", "direct", "EC2", D(-3), D("-3.333"), D(0), None),
        ("EUR", "total", "Total", D(-3), D("-3.333"), D(0), None),
        ("USD", "shared", "cluster", D(60), D(60), D(70), pool),
        ("USD", "adjustment", "Adjustment for 2026-08", D(2), D(2), None, None),
        ("USD", "total", "Total", D(62), D(62), D(70), None),
    ]
    assert found.of("(none)").amount("total", "USD") == D(7)
    assert found.amount("total", "USD") == D("217.000000000000000001")
    with pytest.raises(
        UsageError, match="'sales' has no statement for 2026-09; there are those of search, shop"
    ):
        found.of("sales")


def test_the_file_has_every_digit_and_says_where_it_is_from(found: Statements) -> None:
    sheet = openpyxl.load_workbook(io.BytesIO(to_xlsx(found.of("search").as_file()))).active
    rows = list(sheet.iter_rows(values_only=True))
    head = dict(zip(rows[0], rows[1], strict=True))
    assert (head["EffectiveCost"], head["EffectiveCost (exact)"]) == (110, "110.000000000000000001")
    assert "BilledCost (exact)" not in head and "Budget (exact)" not in head
    assert (head["BillingPeriod"], head["x_Team"], head["State"], head["LakeVersion"]) == (
        "2026-09",
        "search",
        "open",
        1,
    )
    assert rows[-1][rows[0].index("Kind")] == "total" and rows[-1][rows[0].index("Budget")] is None


@given(st.lists(COST, min_size=1, max_size=30))
def test_a_workbook_is_summed_to_the_cent_and_loses_no_digit(costs: list[Decimal]) -> None:
    table = polars.DataFrame({"EffectiveCost": costs}, {"EffectiveCost": closing.MONEY})
    rows = list(openpyxl.load_workbook(io.BytesIO(to_xlsx(table))).active.iter_rows(values_only=True))
    assert rows[0] in (("EffectiveCost",), ("EffectiveCost", "EffectiveCost (exact)"))
    assert all(isinstance(row[0], int | float) for row in rows[1:])
    assert abs(D(sum(row[0] for row in rows[1:])) - total(costs)) < D("0.000001")
    assert [D(str(row[-1])) for row in rows[1:]] == costs


def test_a_digit_that_a_spreadsheet_does_not_keep_is_in_the_exact_column() -> None:
    amounts = [D("0.1"), D("123456789012345"), None, D("0.1234567890123456")]
    for held, columns in ((amounts[:2], 1), (amounts, 2)):
        table = polars.DataFrame({"BilledCost": held}, {"BilledCost": closing.MONEY})
        rows = list(openpyxl.load_workbook(io.BytesIO(to_xlsx(table))).active.iter_rows(values_only=True))
        assert [len(row) for row in rows] == [columns] * (len(held) + 1)
    assert rows[1:] == [
        (0.1, "0.1"),
        (123456789012345, "123456789012345"),
        (None, None),
        (0.1234567890123456, "0.1234567890123456"),
    ]


def _written(found: Statements) -> tuple[list[str], bytes]:
    written: list[str] = []
    fitting = Paper.fitting

    def kept(self: Paper, text: str, width: float) -> str:
        shown = fitting(self, text, width)
        written.append(shown)
        return shown

    with patch.object(Paper, "fitting", kept):
        return written, to_pdf(found)


def test_the_document_has_a_page_for_each_owner_to_the_cent(found: Statements) -> None:
    written, data = _written(found)
    assert data.startswith(b"%PDF-") and data.count(b"/Type /Page\n") == 3
    assert data == to_pdf(found)
    page = written[: written.index("shop")]
    start = page.index("Total September 2026")
    assert page[start : start + 4] == ["Total September 2026", "140.00", "+8.00", "148.00"]
    assert "Open, month to date through 1 January 2026" in page
    assert page[(p := page.index("cluster")) : p + 5] == [
        "cluster",
        "40 % of 100.00",
        "30.00",
        "+10.00",
        "40.00",
    ]
    assert any(text.startswith("Exact total 148.000000000000000001 USD") for text in page)
    assert "Farthing · lake version 1 · no applied rules · data through 1 January 2026" in page
    assert "page 1 of {nb}" in page and "Without team" in written


def test_long_names_many_lines_and_large_amounts_fit_their_page(home: Home) -> None:
    name = "検索" + "x" * 200
    many = {_key(name, "CC-1", "direct", "", f"S{n:03}"): (D(n), D(n) / 4) for n in range(1, 61)}
    many[_key(name, "CC-1", "direct", "", "S3", "EUR")] = (D(0), D("98765432109876543210.123456789012345678"))
    books = Books({"2026-09": many})
    with books.in_place():
        found = statements(books, State(home), "2026-09")  # type: ignore[arg-type]
    written, data = _written(found)
    assert data.count(b"/Type /Page\n") == 1
    assert "44 others" in written and "457.50" in written
    assert written.count("98,765,432,109,876,543,210.12") == 5
    assert any(text.startswith("��x") and text.endswith("…") for text in written)


POOLS = """
pools:
  - name: cluster
    when: ServiceName=EKS
    split: {even: all}
    why: Everybody runs on it
    approved_by: fin
  - name: tax
    when: ChargeCategory=Tax
    split: {direct: all}
    why: Tax follows cost
    approved_by: fin
"""


def test_with_pools_statements_sum_to_the_query_and_rules_become_adjustments(
    home: Home, tmp_path: Path
) -> None:
    rows = [
        focus_row(
            BilledCost=cost, EffectiveCost=cost, ServiceName=service, ChargeCategory=category, Tags=tags
        )
        for cost, service, category, tags in (
            ("3", "EC2", "Usage", '{"team": "search"}'),
            ("1", "EC2", "Usage", '{"team": "shop"}'),
            ("2.5", "S3", "Usage", '{"team": "web"}'),
            ("10", "EKS", "Usage", ""),
            ("0.000000000000000001", "EC2", "Tax", ""),
            ("7.77", "EC2", "Usage", ""),
        )
    ]
    load(home, [write_focus(tmp_path / "main.csv", rows)])
    ledger, state = Ledger(home), State(home)
    rules = ruleset.shipped() + POOLS
    applying.apply(home, {"allocation.yaml": rules}, "ada", "pools")
    found = statements(ledger, state, "2026-09")
    assert found.owners() == ["search", "shop", "web", "(none)"]
    rows_of = found.table.filter(polars.col("Line") == "cluster")
    cluster = dict(zip(rows_of["x_Team"], rows_of["EffectiveCost"], strict=True))
    assert sorted(cluster) == ["search", "shop", "web"] and total([*cluster.values()]) == D(10)
    assert all(abs(share - D(10) / 3) < D("1e-17") for share in cluster.values())
    assert found.amount("shared", "USD") == D("10.000000000000000001")
    whole = ledger.query(Query("EffectiveCost"))["EffectiveCost"][0]
    assert found.amount("total", "USD") == whole == D("24.270000000000000001")
    closing.close(ledger, state, "2026-09", "fin", "month end", anyway=True)

    searched = rules.replace("even: all", "fixed: {search: 1}")
    applying.apply(home, {"allocation.yaml": searched}, "ada", "search alone runs on it")
    assert statements(ledger, state, "2026-09").table.equals(found.table)
    later = statements(ledger, state, "2026-10")
    adjusted = {team: later.of(team).amount("adjustment", "USD") for team in later.owners()}
    moved = {"search": 10 - cluster["search"], "shop": -cluster["shop"], "web": -cluster["web"]}
    assert adjusted == {**moved, "(none)": 0}
    assert later.amount("total", "USD") == 0


def test_a_budget_counts_charges_before_pools_are_shared_out_and_says_so(home: Home, tmp_path: Path) -> None:
    rows = [
        focus_row(BilledCost=cost, EffectiveCost=cost, ServiceName=service, Tags=f'{{"team": "{team}"}}')
        for cost, service, team in (("3", "EC2", "search"), ("10", "EKS", "search"), ("1", "EC2", "shop"))
    ]
    load(home, [write_focus(tmp_path / "main.csv", rows)])
    applying.apply(home, {"allocation.yaml": ruleset.shipped() + POOLS}, "ada", "pools")
    ledger, state = Ledger(home), State(home)
    line = BudgetLine("search", "ada", "EffectiveCost", "x_Team=search", "USD", date(2026, 9, 1), D("11.5"))
    enter(state, [line], "ada")
    found = statements(ledger, state, "2026-09")
    mine = found.of("search")
    assert (mine.amount("direct", "USD"), mine.amount("total", "USD")) == (3, 8)
    assert (mine.budget("USD"), mine.spent("USD")) == (D("11.5"), 13)
    assert found.of("shop").budget("USD") is None and found.of("shop").spent("USD") is None
    last = mine.as_file().row(-1, named=True)
    assert (last["Budget"], last["BudgetSpent"]) == (D("11.5"), 13)
    assert last["BudgetCounts"] == "charges before pools are shared out"
    assert mine.as_file()["BudgetCounts"][0] is None
    written, _ = _written(found)
    assert "Budget: 13.00 of 11.50 USD spent, before pools are shared out." in written
    assert "Budget: none set." in written


@settings(max_examples=150, deadline=None)
@given(st.lists(COST | st.decimals(-3, 3, places=2), max_size=12))
def test_cents_sum_to_the_rounded_total(values: list[Decimal]) -> None:
    found = cents(values)
    assert total(found) == rounded(total(values))
    for value, cent in zip(values, found, strict=True):
        assert abs(cent - value) < CENT and cent == cent.quantize(CENT)
        assert cent == value or value != value.quantize(CENT)


def _month(charges: dict, adjusted: dict) -> tuple[Month, Month]:
    books = Books({"2026-08": adjusted, "2026-09": charges})
    with books.in_place():
        now, before = (closing.figures(books, [p]) for p in ("2026-09", "2026-08"))  # type: ignore[arg-type]
    changes = before.drop("ServiceName", "x_Product")
    none = changes.clear()
    return Month("2026-09", None, now, changes, 1, None, None), Month(
        "2026-08", None, before, none, 1, None, None
    )


def _nonzero(sums: polars.DataFrame) -> dict[str, list[Decimal]]:
    return {currency: costs for currency, *costs in sums.rows() if any(costs)}


@settings(max_examples=60, deadline=None)
@given(CHARGES, CHARGES, st.sampled_from(COSTS))
def test_statements_and_journal_add_up(charges: dict, adjusted: dict, metric: str) -> None:
    now, before = _month(charges, adjusted)
    whole = closing.summed(
        polars.concat(
            [now.figures.select("BillingCurrency", *COSTS), now.adjustments.select("BillingCurrency", *COSTS)]
        ),
        ["BillingCurrency"],
    )
    for by, lines in (("x_Team", "ServiceName"), ("x_CostCenter", "x_Product")):
        table = _table(now, before, by, lines)
        for kinds in (polars.col("Kind") == "total", polars.col("Kind") != "total"):
            stated = closing.summed(table.filter(kinds), ["BillingCurrency"])
            assert _nonzero(stated) == _nonzero(whole)
    booked = journal(now, Accounts(services={"EC2": "7000"}, pools={"support": "7100"}), metric)
    exact = dict(zip(whole["BillingCurrency"], whole[metric], strict=True))
    assert {b.currency: b.exact for b in booked.balances} | {c: v for c, v in exact.items() if not v} == exact
    for balance in booked.balances:
        lines = booked.table.filter(polars.col("BillingCurrency") == balance.currency)
        debits, credits = (total(lines[side].drop_nulls().to_list()) for side in ("Debit", "Credit"))
        assert debits == credits
        clearing = lines.filter(polars.col("CostCenter").is_null())
        assert len(clearing) == bool(balance.booked)
        sides = [clearing[side].fill_null(D(0)).sum() for side in ("Credit", "Debit")]
        assert sides[0] - sides[1] == balance.booked == rounded(balance.exact)
        assert abs(balance.residue) <= CENT / 2


def test_a_journal_is_booked_to_the_accounts_of_the_home(home: Home, found: Statements) -> None:
    home.rules.mkdir(parents=True)
    file = home.rules / "journal.yaml"
    assert accounts(home.rules) == Accounts()
    file.write_text('clearing: "0150"\nservices: {EC2: "6811"}\npools: {cluster: "6821"}\n')
    booked = journal(found.month, accounts(home.rules))
    text = "Cloud cost 2026-09"
    assert booked.as_text().drop("BillingPeriod", "Exact").rows() == [
        ("CC-2", "6811", None, "3.33", "EUR", f"{text}: direct"),
        (None, "0150", "3.33", None, "EUR", f"{text}, EffectiveCost: clearing"),
        ("CC-1", "6811", "110.00", None, "USD", f"{text}: direct"),
        ("CC-1", "6821", "40.00", None, "USD", f"{text}: share of cluster"),
        ("CC-1", "6830", None, "2.00", "USD", f"{text}: adjustment for 2026-08"),
        ("CC-2", "6821", "60.00", None, "USD", f"{text}: share of cluster"),
        ("CC-2", "6830", "2.00", None, "USD", f"{text}: adjustment for 2026-08"),
        ("unallocated", "6811", "7.00", None, "USD", f"{text}: direct"),
        (None, "0150", None, "217.00", "USD", f"{text}, EffectiveCost: clearing"),
    ]
    assert (
        booked.balances[0].in_words() == "EUR: debits = credits; booked -3.33, exact -3.333, residue -0.003"
    )
    for wrong, said in (
        ("clearing: ''\n", "line 1: clearing"),
        ("direct: '6810'\ncolour: red\n", "line 2: colour"),
        ("a: [", "line 1: no YAML"),
    ):
        file.write_text(wrong)
        with pytest.raises(InputRefused, match=rf"journal.yaml, {said}"):
            accounts(home.rules)
    with pytest.raises(UsageError, match="not 'ListCost'"):
        journal(found.month, Accounts(), "ListCost")


def test_the_commands(home: Home, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [
        focus_row(BilledCost=cost, EffectiveCost=cost, Tags=f'{{"team": "{team}"}}')
        for team, cost in (("search", "1.005"), ("search", "2.0000000000000001"), ("shop", "4.1"))
    ]
    load(home, [write_focus(tmp_path / "main.csv", rows)])

    def run(*words: str) -> tuple[str, str]:
        app(["--home", str(home.path), *words], standalone_mode=False)
        return capsys.readouterr()

    _, said = run("close", "2026-09", "--reason", "month end", "--who", "fin", "--anyway")
    assert "7.1050000000000001 USD effective" in said
    listed, _ = run("statement", "--period", "2026-09", "--owner", "search", "--format", "csv")
    total_line = "2026-09,search,USD,total,Total,3.0050000000000001,3.0050000000000001,,,,,,closed,"
    assert listed.splitlines()[-1].startswith(total_line)
    document = tmp_path / "s.pdf"
    run("statement", "--period", "2026-09", "--format", "pdf", "--out", str(document))
    assert document.read_bytes().count(b"/Type /Page\n") == 2
    with pytest.raises(UsageError, match="add --out"):
        run("statement", "--period", "2026-09", "--format", "pdf")
    booked, said = run("journal", "--period", "2026-09")
    assert "2026-09,,1590,,7.11,USD," in booked
    assert "booked 7.11, exact 7.1050000000000001, residue -0.0049999999999999" in said
    run("reopen", "2026-09", "--reason", "typo")
    assert closes(State(home)) == {}
    assert audit.entries(State(home), limit=1)[0].reason == "typo"
