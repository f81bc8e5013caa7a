"""Makes the demo company: writes its exports below HOME/demo and loads them like any other."""

import shutil
from collections.abc import Callable
from importlib import resources
from pathlib import Path

from finops_core.allocation.ruleset import FILE, named_files
from finops_core.analysis.savings import find
from finops_core.demo import aws, aws_export, azure, backlog, gcp, observa, planning, truth
from finops_core.demo.estate import teams
from finops_core.demo.incidents import INCIDENTS
from finops_core.demo.money import UNIT
from finops_core.demo.ownership import write_ownership
from finops_core.demo.seasons import LONGEST, Month, month_of
from finops_core.demo.seasons import months as last_months
from finops_core.demo.totals import MonthTotals
from finops_core.errors import UsageError
from finops_core.model.ledger import Ledger
from finops_core.model.span import span
from finops_core.store import budgets, deployments, metric_files, rulesets, unit_metrics
from finops_core.store.applying import apply
from finops_core.store.batches import Batch
from finops_core.store.home import Home
from finops_core.store.lake import Lake
from finops_core.store.load import LoadOptions, load
from finops_core.store.state import State

TAG_POLICY = "tag_policy.yaml"
Progress = Callable[[str], None]
RESTATED = month_of(2026, 9)
"""The month that AWS delivers twice: late usage and a credit came after it had closed."""
_LARGEST = 50


def make_demo(
    home: Home, months: int, scale: float, seed: int, progress: Progress = lambda words: None
) -> list[Batch]:
    """Writes and loads the company. Returns the batches of the last load of each source.

    `months` counts back from the end of a fixed calendar, `scale` multiplies the resources. The same arguments write
    the same bytes. Raises UsageError for arguments out of range, and what a load raises.
    """
    if not 1 <= months <= LONGEST:
        raise UsageError(f"the demo has 1 to {LONGEST} months, not {months}")
    if not 0 < scale <= _LARGEST:
        raise UsageError(f"the demo's scale is above 0 and at most {_LARGEST}, not {scale:g}")
    if seed < 0:
        raise UsageError("the demo's seed is 0 or more")
    folder = home.path / "demo"
    first_version = write(folder, home.mappings, months, scale, seed, progress)
    for driver in sorted((folder / "drivers").iterdir()):
        metric_files.add(home, driver)
    for name in ("metrics.csv", "customers.csv"):
        unit_metrics.add(home, folder / name)
    _apply_rules(home, folder / "ownership")
    told = deployments.from_csv((folder / "deployments.csv").read_bytes(), "deployments.csv")
    deployments.add(State(home), told, "Sofia Lindqvist")
    if not budgets.budgets(State(home)):
        budgets.enter(State(home), planning.budget_lines(folder / "budgets.csv"), "Sofia Lindqvist")
    batches: list[Batch] = []
    if first_version is not None and not _is_known(home, first_version):
        progress(f"Loading AWS's first version of {RESTATED.label}")
        load(home, [first_version], LoadOptions(source=truth.SOURCES["aws"]))
    for name, source in truth.SOURCES.items():
        batches += load(
            home,
            [folder / name],
            LoadOptions(source=source),
            lambda words, source=source: progress(f"{source}: {words}"),  # type: ignore[misc]
        )
    ledger = Ledger(home)
    progress("Looking for what could be saved")
    backlog.work_on(home, find(ledger), span(ledger).first, span(ledger).complete_until)
    return batches


def write(
    folder: Path, mappings: Path, count: int, scale: float, seed: int, progress: Progress = lambda words: None
) -> Path | None:
    """Writes everything below a folder, whose old content goes. Returns the file of the restated month's first version."""
    shutil.rmtree(folder, ignore_errors=True)
    calendar = last_months(count)
    written: dict[str, dict[str, MonthTotals]] = {name: {} for name in truth.SOURCES}
    first_version = None
    for number, month in enumerate(calendar):
        progress(f"Writing the exports of {month.label} ({number + 1} of {count})")
        bill = aws.bill(month, scale, seed, INCIDENTS)
        # The company moved from legacy CUR to Data Exports after the first third.
        if number < count // 3:
            aws_export.write_legacy(folder / "aws", bill, seed)
        else:
            found = aws_export.write_data_export(folder / "aws", bill, seed, month == RESTATED)
            first_version = found or first_version
        written["aws"][month.label] = bill.totals
        written["azure"][month.label] = azure.write_month(folder / "azure", month, scale, seed, INCIDENTS)
        written["gcp"][month.label] = gcp.write_month(folder / "gcp", month, scale, seed, INCIDENTS)
        written["observa"][month.label] = observa.write_month(folder / "observa", month, scale, seed)
    observa.write_mapping(mappings)
    progress("Writing what stands beside the bills")
    _write_beside(folder, calendar, written, scale, seed)
    restated = RESTATED if first_version is not None else None
    truth.write_truth(folder / "truth.json", written, calendar, scale, seed, restated)
    return first_version


def _apply_rules(home: Home, ownership: Path) -> None:
    """The company's own rules become version 1, in a home that has no rules yet."""
    if rulesets.in_force(State(home)) is not None or (home.rules / FILE).exists():
        return
    files = {FILE: resources.files("finops_core.demo").joinpath(FILE).read_text("utf-8")}
    files |= {name: (ownership / name).read_text("utf-8") for name in named_files(files[FILE])}
    home.rules.mkdir(parents=True, exist_ok=True)
    policy = resources.files("finops_core.demo").joinpath(TAG_POLICY).read_text("utf-8")
    for name, text in {TAG_POLICY: policy, **files}.items():
        (home.rules / name).write_text(text, "utf-8")
    apply(home, files, "Sofia Lindqvist", "The rules of the demo company")


def _write_beside(
    folder: Path, calendar: list[Month], written: dict[str, dict[str, MonthTotals]], scale: float, seed: int
) -> None:
    write_ownership(folder / "ownership")
    planning.write_rates(folder, calendar)
    planning.write_budgets(folder, calendar, _usual(calendar[0], written))
    planning.write_deployments(folder, calendar, seed)
    planning.write_metrics(folder, calendar, scale, seed)
    planning.write_customers(folder, calendar, scale, seed)
    planning.write_drivers(folder / "drivers", calendar, scale, seed)


def _usual(month: Month, written: dict[str, dict[str, MonthTotals]]) -> dict[tuple[str, str], int]:
    """What each team costs in a full month, in units of each currency of its bills; the shared rest last."""
    whole = month.length / len(month.days)
    found = {(team, "USD"): 0 for team in (*teams(), planning.SHARED)}
    for source, by_month in written.items():
        for team, amount in by_month[month.label].teams.items():
            key = (team or planning.SHARED, truth.CURRENCIES[source])
            found[key] = found.get(key, 0) + round(amount * whole)
    order = [*teams(), planning.SHARED]
    ranked = sorted(found.items(), key=lambda item: (order.index(item[0][0]), item[0][1] != "USD"))
    return {key: max(amount, UNIT) for key, amount in ranked}


def _is_known(home: Home, file: Path) -> bool:
    """Whether the history of the home already has this file's version of the restated month."""
    return any(
        b.source == truth.SOURCES["aws"] and b.billing_period == RESTATED.label and b.files == [file.name]
        for b in Lake(home.lake).batches()
    )
