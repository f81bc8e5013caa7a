"""A Kubernetes cluster: which, of which month and by what, what its nodes cost, and whose that was."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import polars
import streamlit as st

from finops_core.allocation.drivers.describing import Description
from finops_core.allocation.drivers.kubernetes import KubernetesDriver
from finops_core.analysis.kubernetes import (
    CURRENCY,
    KIND,
    METRICS,
    ClusterCost,
    cluster_cost,
    member,
    nodes_of,
)
from finops_core.errors import UsageError
from finops_core.model import words
from finops_core.model.periods import add_months
from finops_core.store import metric_files
from ui import address, answers, charts, figures, kit, tables, usage_files
from ui.figures import Figure
from ui.plain import plain

_COST = METRICS[-1]
_BY = {"namespace": "Namespace", "workload": "Workload"}
_TOP = 8
_FIGURES = {
    "": ("Nodes", "What the cloud charges for the cluster, effective cost"),
    "used": ("Used", "Requested or used by a namespace, whichever is more"),
    "idle": ("Idle", "Paid for, and neither requested nor used"),
    "unallocated": ("Unallocated", "Of no namespace, or of volumes that nobody mounts"),
    "unmeasured": ("No usage known", "The cost of days for which the export has no usage"),
}


def begin(title: str) -> "ClusterPage":
    """Begins the page: its title, its answer, and what the URL asks for. Without an export it says so and stops."""
    exports = _exports()
    if not exports:
        kit.heading(title, lambda: "No allocation export of OpenCost or Kubecost has been added yet.")
        usage_files.draw(expanded=True)
        st.markdown("Or add one on the command line, as its API or its CSV export gives it:")
        st.code("farthing drivers add september.json", language=None)
        st.stop()
    found: list[ClusterPage] = []

    def answer() -> str:
        found.append(_asked(exports))
        return found[0].answer()

    kit.heading(title, answer)
    return found[0]


def _exports() -> dict[str, Description]:
    """The allocation exports of the home, by file name."""
    found = usage_files.described()
    return {
        name: holds
        for name, holds in found.items()
        if isinstance(holds, Description) and holds.kind == "kubernetes" and holds.clusters
    }


def _asked(exports: dict[str, Description]) -> "ClusterPage":
    """What the URL asks for. What it cannot mean is said, and left out."""
    clusters = sorted({cluster for found in exports.values() for cluster in found.clusters})
    cluster = _one_of("cluster", clusters)
    files = sorted((n for n, d in exports.items() if cluster in d.clusters), key=lambda n: exports[n].last)[
        ::-1
    ]
    file = _one_of("file", files)
    month = _one_of("month", _months(exports[file]))
    by = _one_of("by", list(_BY))
    try:
        cost = _cost(
            file, cluster, month, by, answers.ledger().version, metric_files.stamps(answers.ledger().home)
        )
    except UsageError:
        cost = None
    currencies = sorted(cost.table[CURRENCY].unique()) if cost is not None else [""]
    return ClusterPage(
        clusters,
        files,
        _months(exports[file]),
        cluster,
        file,
        month,
        by,
        currencies,
        _one_of("currency", currencies),
        cost,
    )


def _one_of(name: str, known: Sequence[str]) -> str:
    given = st.query_params.get(name)
    if given is None or given in known:
        return given or known[0]
    st.warning(f"There is no {name} {plain(given)} here", icon=":material/link_off:")
    return known[0]


def _months(found: Description) -> list[str]:
    """The months with usage, the newest first."""
    month, months = found.first.replace(day=1), []
    while month <= found.last:
        months.append(f"{month:%Y-%m}")
        month = add_months(month, 1)
    return months[::-1]


@st.cache_data(show_spinner=False, max_entries=100)
def _cost(
    file: str, cluster: str, month: str, by: str, version: str, stamps: tuple[tuple[str, int, int], ...]
) -> ClusterCost:
    ledger, start = answers.ledger(), date.fromisoformat(f"{month}-01")
    spec = KubernetesDriver(file=file, cluster=cluster, by=by)
    return cluster_cost(ledger, spec, ledger.home.metrics, nodes_of(cluster), start, add_months(start, 1))


@dataclass
class ClusterPage:
    """A cluster in a month, in one currency; without charges of its nodes `cost` is None."""

    clusters: list[str]
    files: list[str]
    months: list[str]
    cluster: str
    file: str
    month: str
    by: str
    currencies: list[str]
    currency: str
    cost: ClusterCost | None

    @cached_property
    def name(self) -> str:
        return f"{date.fromisoformat(f'{self.month}-01'):%B %Y}"

    def answer(self) -> str:
        """The cluster in a sentence."""
        if self.cost is None:
            return f"No charge in {self.name} carries the name of the cluster {self.cluster} in a tag."
        whole = self.cost.amount(self.currency, _COST)
        end = add_months(date.fromisoformat(f"{self.month}-01"), 1)
        so_far = " so far" if answers.spanned().complete_until < end else ""
        said = f"{self.cluster} cost {words.money(whole, self.currency)} in {self.name}{so_far}"
        idle = words.ratio(self.cost.amount(self.currency, _COST, "idle"), whole)
        return f"{said}; {words.percent(idle)} of it was idle." if idle else f"{said}."

    def bar(self) -> None:
        """Cluster, export, month, what it is told by, and currency; each is in the URL."""
        with st.container(horizontal=True, vertical_alignment="bottom", key="bar"):
            _choice("Cluster", "cluster", self.clusters, self.cluster, 220)
            if len(self.files) > 1:
                _choice("Export", "file", self.files, self.file, 260)
            _choice("Month", "month", self.months, self.month, 140)
            _choice("By", "by", list(_BY), self.by, 160, _BY.__getitem__)
            if len(self.currencies) > 1:
                _choice("Currency", "currency", self.currencies, self.currency, 110)

    def figures(self) -> None:
        """What the nodes cost, and of it what was used, idle and neither."""
        if self.cost is None:
            usage_files.draw()
            st.stop()
        shown = []
        for kind, (label, help) in _FIGURES.items():
            value = self.cost.amount(self.currency, _COST, *filter(None, [kind]))
            if value or kind in ("", "used"):
                shown.append(Figure(f"{label}, {self.currency}", words.amount(value), help))
        figures.show(shown)
        for note in self.cost.notes:
            st.caption(plain(note[0].upper() + note[1:]))

    @cached_property
    def _drawn(self) -> charts.Spec:
        assert self.cost is not None
        series = self.cost.series(self.currency, _COST, _TOP)
        ranking = (
            series.group_by("Member").agg(polars.col("cost").sum()).sort("cost", descending=True)["Member"]
        )
        return charts.over_time(series, "day", self.currency, answers.spanned().complete_until, list(ranking))

    def chart(self) -> None:
        """The parts by day, stacked."""
        charts.show(
            self._drawn, "cluster", f"{self.cluster} by {self.by} and day; the table below has the figures"
        )

    def table(self) -> None:
        """The parts of the month, and downloads of all currencies and digits."""
        assert self.cost is not None
        mine = (
            self.cost.total()
            .filter(polars.col(CURRENCY) == self.currency)
            .with_columns(member().alias("Part"))
        )
        columns = [
            ("Part", tables.text, _BY[self.by]),
            *(
                (metric, tables.money, f"{metric.removesuffix('Cost')} cost, {self.currency}")
                for metric in METRICS[::-1]
            ),
            (KIND, tables.text, "Kind"),
        ]
        total = {metric: self.cost.amount(self.currency, metric) for metric in METRICS}
        tables.show(mine, columns, {"Part": "Nodes", KIND: "", **total}, "cluster-parts")
        name = f"{self.cluster}-{self.month}"
        tables.downloads(self.cost.total, name, lambda form: charts.picture(self._drawn, form, self.cluster))

    def usage(self) -> None:
        """The files of usage, to be added and removed."""
        usage_files.draw()


def _choice(
    label: str,
    name: str,
    options: Sequence[str],
    value: str,
    width: int,
    written: Callable[[str], str] = str,
) -> None:
    """A choice that lives in the URL."""
    st.selectbox(
        label,
        options,
        key=address.seeded(f"cluster-{name}", value),
        format_func=written,
        on_change=address.changes(f"cluster-{name}", lambda chosen: st.query_params.update({name: chosen})),
        disabled=address.is_presenting(),
        width=width,
    )
