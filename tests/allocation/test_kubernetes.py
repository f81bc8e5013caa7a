"""Kubernetes: OpenCost's and Kubecost's exports weighed, and the cloud's node cost told again, exactly."""

import json
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import polars
import pytest
from click.testing import Result
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from finops_core import Ledger, Query
from finops_core.allocation.drivers import measured, weights
from finops_core.allocation.drivers.kubernetes import KubernetesDriver
from finops_core.analysis.kubernetes import cluster_cost, nodes_of, reconciled
from finops_core.cli import app
from finops_core.errors import InputRefused, UsageError
from finops_core.store.home import Home
from finops_core.store.load import load
from tests.exports import focus_row, write_focus

GIB = 1 << 30
FIRST, SECOND = date(2026, 3, 1), date(2026, 3, 2)
DAY = ("2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z")
OPENCOST = (
    "Date,Namespace,ControllerKind,ControllerName,Pod,Container,CPUCoreUsageAverage,CPUCoreRequestAverage,"
    "RAMBytesUsageAverage,RAMBytesRequestAverage,NetworkReceiveBytes,NetworkTransferBytes,GPUs,PVBytes,CPUCost,"
    "RAMCost,NetworkCost,PVCost,GPUCost,TotalCost,Labels\n"
)
TABLE = (
    "date,cluster,namespace,team,cpu_core_hours_requested,cpu_core_hours_used,memory_gib_hours_requested,"
    "memory_gib_hours_used\n"
    "2026-03-01,one,shop,web,10,4,20,30\n2026-03-01,one,search,web,5,8,1,1\n2026-03-02,one,shop,web,1,0,0,0\n"
)


def allocation(
    namespace: str,
    cpu: tuple[float, float],
    gib: tuple[float, float],
    window: tuple[str, str] = DAY,
    **more: Any,
) -> dict[str, Any]:
    """An allocation as the API writes it; cpu and gib are the averages requested and used."""
    start, end = (datetime.fromisoformat(text) for text in window)
    return {
        "name": namespace,
        "properties": {"cluster": "one", "namespace": namespace, **more.pop("properties", {})},
        "window": dict(zip(("start", "end"), window, strict=True)),
        "start": window[0],
        "end": window[1],
        "minutes": (end - start).total_seconds() / 60,
        "cpuCoreRequestAverage": cpu[0],
        "cpuCoreUsageAverage": cpu[1],
        "ramByteRequestAverage": gib[0] * GIB,
        "ramByteUsageAverage": gib[1] * GIB,
        "gpuHours": 0,
        "pvs": None,
        "networkTransferBytes": 3 * GIB,
        "networkReceiveBytes": GIB,
        "pvByteHours": 100 * GIB,
    } | more  # fmt: skip


SHOP = allocation(
    "shop", (2, 1), (4, 6), cpuCost=4.8, ramCost=1.44, networkCost=0.5, pvCost=1, totalCost=7.74
)
SEARCH = allocation("search", (1, 3), (2, 1), cpuCost=7.2, ramCost=0.48, totalCost=7.68)
IDLE = allocation("one/__idle__", (0, 0), (0, 0), cpuCost=1, ramCost=0.5, totalCost=1.5,
                  properties={"namespace": ""}, networkTransferBytes=0, networkReceiveBytes=0, pvByteHours=0)  # fmt: skip


def answer(*windows: list[dict[str, Any]] | None) -> str:
    sets = [w and {a["name"]: a for a in w} for w in windows]
    return json.dumps({"code": 200, "data": sets}, indent=1)


def spec(text: str, directory: Path, name: str = "k.json", **fields: object) -> KubernetesDriver:
    directory.mkdir(parents=True, exist_ok=True)
    (directory / name).write_text(text, "utf-8")
    return KubernetesDriver.model_validate({"file": name} | fields)


def weighed(text: str, directory: Path, name: str = "k.json", **fields: object) -> dict[str | None, Decimal]:
    """The weights of the first day."""
    found = weights(spec(text, directory, name, **fields), directory)
    return {who: weight for day, who, weight in found.rows() if day == FIRST}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, {"shop": "502.08", "search": "585.12", "__idle__": "124.6"}),
        ({"cpu_to_memory": 10}, {"shop": "624", "search": "768", "__idle__": "150"}),
        ({"cpu_to_memory": "export"}, {"shop": "624", "search": "768", "__idle__": "150"}),
        ({"weight": "cost"}, {"shop": "6.24", "search": "7.68", "__idle__": "1.5"}),
        ({"weight": "cost", "network": True, "storage": True},
         {"shop": "7.74", "search": "7.68", "__idle__": "1.5"}),
        ({"network": True, "network_to_memory": 2, "storage": True, "storage_to_memory": "0.1"},
         {"shop": "520.08", "search": "603.12", "__idle__": "124.6"}),
    ],
    ids=["default", "ratio", "ratio of the export", "cost", "cost with all", "bytes"],
)  # fmt: skip
def test_the_larger_of_requested_and_used_weighs_by_the_ratio_of_prices(
    tmp_path: Path, fields: dict[str, object], expected: dict[str, str]
) -> None:
    # shop: 48 core hours and 144 GiB hours; search: 72 and 48. A core hour cost 0.1, a GiB hour 0.01: idle is 10 and 50.
    found = weighed(answer([SHOP, SEARCH, IDLE], None), tmp_path, **fields)
    assert found == {who: Decimal(weight) for who, weight in expected.items()}


def test_core_hours_of_the_exporter_count_where_they_are_more_than_averages(tmp_path: Path) -> None:
    text = answer([SHOP | {"cpuCoreHours": 50, "ramByteHours": 100 * GIB}])
    assert weighed(text, tmp_path) == {"shop": Decimal("7.46") * 50 + 144}


def test_a_window_of_days_is_spread_by_the_time_on_each(tmp_path: Path) -> None:
    long = allocation("shop", (1, 0), (0, 0), ("2026-03-01T18:00:00Z", "2026-03-04T00:00:00+00:00"))
    found = weights(spec(answer([long]), tmp_path, cpu_to_memory=1), tmp_path)
    assert found.rows() == [
        (FIRST, "shop", Decimal(6)),
        (SECOND, "shop", Decimal(24)),
        (date(2026, 3, 3), "shop", Decimal(24)),
    ]


def test_workloads_and_labels_stand_for_consumers_and_the_rest_is_listed(tmp_path: Path) -> None:
    labelled = {
        "controller": "front",
        "labels": {"app_kubernetes_io_name": "cart"},
        "namespaceLabels": {"team": "web"},
    }
    odd = SEARCH | {"name": "search/__unallocated__"}
    unmounted = allocation("__unmounted__", (0, 0), (0, 0), properties={"namespace": "__unmounted__"})
    text = answer(
        [SHOP | {"properties": {"cluster": "one", "namespace": "shop", **labelled}}, odd, unmounted, IDLE]
    )
    by_label = measured(spec(text, tmp_path, by="label:app.kubernetes.io/name"), tmp_path)
    assert by_label.weights["consumer"].to_list() == ["__idle__", "cart", None]
    assert by_label.unmapped == ("__unallocated__", "__unmounted__")
    assert weighed(text, tmp_path, by="label:team", storage=True).keys() == {"web", "__idle__", None}
    assert weighed(text, tmp_path, by="workload").keys() == {"shop/front", "search", "__idle__", None}
    central = {"shop": "web", "__idle__": "platform", "__unmounted__": "platform"}
    mapped = measured(spec(text, tmp_path, consumers=central), tmp_path)
    assert (mapped.weights["consumer"].to_list(), mapped.unmapped) == (["platform", "web", None], ("search",))


def test_a_table_of_hours_weighs_and_capacity_makes_idle(tmp_path: Path) -> None:
    capacity = {"cpu_core_hours": 24, "memory_gib_hours": 48}
    found = weights(spec(TABLE, tmp_path, "k.csv", cpu_to_memory=2, capacity=capacity), tmp_path)
    assert found.rows() == [
        (FIRST, "__idle__", Decimal(96 - 50 - 17)),
        (FIRST, "search", Decimal(8 * 2 + 1)),
        (FIRST, "shop", Decimal(10 * 2 + 30)),
        (SECOND, "__idle__", Decimal(94)),
        (SECOND, "shop", Decimal(2)),
    ]
    assert weighed(TABLE, tmp_path, "k.csv", cpu_to_memory=2, by="label:team") == {"web": Decimal(67)}
    full = {"cpu_core_hours": 1, "memory_gib_hours": 1}
    assert weighed(TABLE, tmp_path, "k.csv", capacity=full)["__idle__"] == 0


def test_the_csv_of_opencost_weighs_by_its_costs(tmp_path: Path) -> None:
    text = OPENCOST + (
        '2026-03-01,shop,Deployment,front,p,c,9,9,9,9,0,0,0,0,0.25,0.5,0.1,0.2,0.0000000001,0.75,"{""app"":""cart""}"\n'
        "2026-03-01,search,Deployment,x,p,c,9,9,9,9,0,0,0,0,2,1,0,0,0,3,\n"
    )
    assert weighed(text, tmp_path, "k.csv") == {"shop": Decimal("0.7500000001"), "search": Decimal(3)}
    assert weighed(text, tmp_path, "k.csv", by="label:app")["cart"] == Decimal("0.7500000001")
    with pytest.raises(InputRefused, match=r"k.csv, row 2: states no core hours .* how long it ran counts"):
        weighed(text, tmp_path, "k.csv", weight="hours")
    with pytest.raises(InputRefused, match="`capacity` is in hours"):
        weighed(text, tmp_path, "k.csv", capacity={"cpu_core_hours": 1, "memory_gib_hours": 1})


def test_only_the_named_cluster_counts(tmp_path: Path) -> None:
    other = SEARCH | {"properties": {"cluster": "two", "namespace": "search"}}
    text = answer([SHOP, other])
    assert weighed(text, tmp_path, cluster="one").keys() == {"shop"}
    with pytest.raises(InputRefused, match=r"no row of the cluster 'three'. It has one, two"):
        weighed(text, tmp_path, cluster="three")
    with pytest.raises(InputRefused, match="names no cluster, where others do"):
        weighed(answer([SHOP, SEARCH | {"properties": {"namespace": "search"}}]), tmp_path, cluster="one")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"code":400,"message":"bad window"}', "answered with an error: bad window"),
        ('{"items":[]}', "no answer of an allocation API"),
        (answer([SHOP])[:-9], "no JSON"),
        (answer([SHOP]).replace("4.8", "NaN"), "window 1, 'shop', column 'cpucost': 'NaN' is no number"),
        (answer([SHOP | {"cpuCoreHours": -1}]), "-1 is negative"),
        (answer([SHOP | {"end": "2026-02-01T00:00:00Z"}]), "before it starts"),
        (answer([SHOP | {"start": "yesterday"}]), "'yesterday' is no date"),
        (answer([SHOP]).replace('"name": "shop",', '"name": "shop", "name": "shop",'), "'name' stands twice"),
        (answer([SHOP], [SEARCH]), r"the window from 2026-03-01T00:00Z is also in k.json, window 1"),
        (answer([SHOP]) + answer([SHOP]), r"is also in k.json, window 1"),
        (answer([SHOP], [allocation("shop", (1, 1), (1, 1), ("2026-03-01T12:00:00Z", DAY[1]))]), "overlaps"),
        (answer(None), "holds no row"),
        (answer([IDLE | {"cpuCoreHours": 0}]), "no price to make them of"),
        ('{"code":200,"data":{"numResults":1,"combined":{"allocations":{}}}}', "or its /summary"),
        ('{"code":200,"data":{"sets":[{"window":{}}]}}', "without its allocations"),
        ("Date,Namespace,Pod\n2026-03-01,shop,p\n", "has no hours and no costs"),
        ("Namespace,CPUCost,RAMCost\nshop,1,2\n", "names no day"),
        ("Name,CPU,GPU,RAM,PV,Network,LoadBalancer,External,Shared,Efficiency,Total\nshop,1,0,2,0,0,0,0,0,0.3,3\n", "without format=csv"),
        ("Date,Namespace,CPUCost,RAMCost\n2026-03-01,shop,1,x\n", "k.json, row 2, column 'RAMCost': 'x' is no number"),
    ],
)  # fmt: skip
def test_what_cannot_be_weighed_is_refused(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(InputRefused) as error:
        weighed(text, tmp_path)
    assert words in str(error.value)


@pytest.mark.parametrize("name", ["one/node-1/{}/pod/container", "one/{}", "{}"])
def test_a_summary_says_the_same_as_the_full_answer(tmp_path: Path, name: str) -> None:
    kept = {
        "start", "end", "cpuCoreRequestAverage", "cpuCoreUsageAverage", "ramByteRequestAverage", "ramByteUsageAverage", "cpuCost", "ramCost",
        "networkCost", "pvCost", "totalCost",
    }  # fmt: skip
    rows = {
        name.format(row["name"]) if row is not IDLE else "__idle__": {
            k: v for k, v in row.items() if k in kept
        }
        for row in (SHOP, SEARCH, IDLE)
    }
    sets = [
        {"allocations": rows, "window": dict(zip(("start", "end"), DAY, strict=True))},
        {"allocations": None},
    ]
    text = json.dumps({"code": 200, "data": {"step": 86_400_000_000_000, "sets": sets}})
    for fields in ({}, {"weight": "cost", "network": True, "storage": True}):
        expected = weighed(answer([SHOP, SEARCH, IDLE]), tmp_path, **fields)
        assert weighed(text, tmp_path, "summary.json", **fields) == expected


def test_a_pod_that_ran_for_a_part_of_its_window_weighs_for_that_part(tmp_path: Path) -> None:
    """Tables without start and end: averages are over the minutes that it ran, not over the window."""
    aws = (
        "name,window.start,window.end,minutes,cpucorerequestaverage,cpucoreusageaverage,cpucorehours,rambyterequestaverage,"
        "rambyteusageaverage,rambytehours,cpucost,ramcost,sharedcost,totalcost,properties.cluster,properties.clusterid,"
        f"properties.namespace,properties.labels.team\nx,{DAY[0]},{DAY[1]},90,4,2,6,{GIB},0,{GIB * 3 // 2},1,0.5,0.25,1.75,c,arn,"
        "shop,web\n"
    )
    parquet = aws.replace("minutes", "running_minutes").replace("properties.labels.team", "label.team")
    azure = aws.replace("minutes", "Other").replace("window.", "Window").replace("cpucoreh", "CPUCoreH")
    for text in (aws, parquet, azure):
        assert weighed(text, tmp_path, "k.csv", cpu_to_memory=2) == {"shop": Decimal("13.5")}
        assert weighed(text, tmp_path, "k.csv", weight="cost", by="label:team") == {"web": Decimal("1.5")}
    ran = parquet.replace("x,2026", "x,2026-03-01T04:00:00Z,2026-03-01T05:30:00Z,2026", 1)
    ran = ran.replace("name,window", "name,running_start_time,running_end_time,window").replace(",90,", ",,")
    assert weighed(ran, tmp_path, "k.csv", cpu_to_memory=2) == {"shop": Decimal("13.5")}


def test_the_labels_of_a_pod_come_before_those_of_its_namespace(tmp_path: Path) -> None:
    text = "Date,CPUCost,RAMCost,namespaceLabels.team,label.team\n2026-03-01,1,1,floor,web\n2026-03-01,2,1,floor,\n"
    assert weighed(text, tmp_path, "k.csv", by="label:team") == {"web": Decimal(2), "floor": Decimal(3)}


def test_a_total_that_is_not_stated_is_that_of_all_costs(tmp_path: Path) -> None:
    row = allocation(
        "shop",
        (1, 1),
        (1, 1),
        cpuCost=2,
        ramCost=1,
        sharedCost=0.5,
        externalCost=0.25,
        loadBalancerCost=0.125,
    )
    costs = spec(answer([row]), tmp_path).usage(tmp_path).costs()
    assert [str(cell.normalize()) for cell in costs.row(0)[1:]] == ["3", "0.125", "0", "0.75", "3.875"]


def node(
    day: str, billed: str, effective: str, currency: str = "USD", cluster: str = "one"
) -> dict[str, str]:
    return focus_row(
        BillingCurrency=currency,
        BilledCost=billed,
        EffectiveCost=effective,
        Tags=json.dumps({"aws:eks:cluster-name": cluster}),
        BillingPeriodStart="2026-03-01T00:00:00Z",
        BillingPeriodEnd="2026-04-01T00:00:00Z",
        ChargePeriodStart=f"{day}T00:00:00Z",
        ChargePeriodEnd=f"{day}T23:00:00Z",
    )


@pytest.fixture
def ledger(home: Home, tmp_path: Path) -> Ledger:
    rows = [
        node("2026-03-01", "100", "70.000000000000000001"),
        node("2026-03-01", "0.01", "0"),
        node("2026-03-01", "-1", "-0.000000000000000005", "EUR"),
        node("2026-03-02", "10", "10"),
        node("2026-03-03", "7", "7.7"),
        node("2026-03-01", "55", "55", cluster="two"),
    ]
    load(home, [write_focus(tmp_path / "focus.csv", rows)])
    return Ledger(home)


def test_the_parts_of_a_cluster_sum_to_its_nodes_to_the_last_digit(ledger: Ledger, tmp_path: Path) -> None:
    driver = spec(
        TABLE,
        tmp_path / "m",
        "k.csv",
        cpu_to_memory=2,
        capacity={"cpu_core_hours": 24, "memory_gib_hours": 48},
    )
    found = cluster_cost(ledger, driver, tmp_path / "m", nodes_of("one"))
    table = found.table.filter(polars.col("ChargePeriod") == FIRST)
    usd = {name: tuple(rest) for _, c, name, _, _, *rest in table.rows() if c == "USD"}
    # 70.000000000000000001 in 29 : 17 : 50 parts of 96, the units that are left to those that were cut most.
    assert usd == {
        "__idle__": (Decimal(29), Decimal("30.211354166666666667"), Decimal("21.145833333333333334")),
        "search": (Decimal(17), Decimal("17.710104166666666667"), Decimal("12.395833333333333333")),
        "shop": (Decimal(50), Decimal("52.088541666666666666"), Decimal("36.458333333333333334")),
    }
    assert found.table.filter(polars.col("Kind") == "unmeasured").rows() == [
        (date(2026, 3, 3), "USD", None, None, "unmeasured", None, Decimal(7), Decimal("7.7"))
    ]
    assert found.notes == (
        "k.csv has no usage on 1 of 3 days (2026-03-03 to 2026-03-03): their cost stays whole, as unmeasured",
    )
    total = found.total().group_by("BillingCurrency").agg(polars.col("BilledCost", "EffectiveCost").sum())
    asked = ledger.query(Query(("BilledCost", "EffectiveCost"), where='tag:"aws:eks:cluster-name"=one'))
    assert sorted(total.rows()) == sorted(asked.rows())


def test_without_capacity_there_is_no_idle_and_it_says_so(ledger: Ledger, tmp_path: Path) -> None:
    found = cluster_cost(
        ledger, spec(TABLE, tmp_path / "m", "k.csv"), tmp_path / "m", nodes_of("one"), end="2026-03-03"
    )
    assert set(found.table["Kind"]) == {"used"}
    assert found.notes[0].startswith("idle capacity is not known")
    with pytest.raises(UsageError, match="no charge meets"):
        cluster_cost(ledger, spec(TABLE, tmp_path, "k.csv"), tmp_path, nodes_of("none"))


def test_the_exporter_is_compared_with_the_cloud_by_day(ledger: Ledger, tmp_path: Path) -> None:
    two = ("2026-03-04T00:00:00Z", "2026-03-06T00:00:00Z")
    later = allocation("shop", (1, 1), (1, 1), two, cpuCost=1, ramCost=1, totalCost=2.5)
    driver = spec(answer([SHOP, SEARCH, IDLE], [later]), tmp_path / "m")
    usd = "BillingCurrency=USD and tag:aws:eks:cluster-name=one"
    found = reconciled(ledger, driver, tmp_path / "m", usd, end="2026-03-05")
    assert found.columns[2:] == ["cloud", "compute", "network", "storage", "other", "total", "difference"]
    amounts = {
        row[0].day: [None if a is None else str(a.normalize()) for a in row[2:]] for row in found.rows()
    }
    assert amounts == {
        1: ["70.000000000000000001", "15.42", "0.5", "1", "0", "16.92", "-53.080000000000000001"],
        2: ["1E+1", None, None, None, None, None, None],
        3: ["7.7", None, None, None, None, None, None],
        4: [None, "1", "0", "0", "0.25", "1.25", None],
    }
    with pytest.raises(UsageError, match="cost in EUR and USD"):
        reconciled(ledger, driver, tmp_path / "m", nodes_of("one"))
    with pytest.raises(InputRefused, match="states no costs"):
        reconciled(ledger, spec(TABLE, tmp_path / "m", "k.csv"), tmp_path / "m", usd)


def test_a_cluster_on_the_command_line(ledger: Ledger, tmp_path: Path) -> None:
    spec(TABLE, ledger.home.metrics, "k.csv")

    def farthing(*words: str) -> Result:
        options = ("--cluster", "one", "--nodes", "BillingCurrency=USD and tag:aws:eks:cluster-name=one")
        return CliRunner().invoke(app, ["--home", str(ledger.home.path), "kubernetes", *options, *words])

    found = farthing("--by", "label:team", "--to", "2026-03-04", "--cpu-to-memory", "2", "--format", "csv")
    assert found.stdout.splitlines() == [
        "BillingCurrency,Name,Consumer,Kind,BilledCost,EffectiveCost",
        "USD,web,web,used,110.01,80.000000000000000001",
        "USD,,,unmeasured,7,7.7",
    ]
    assert "k.csv has no usage on 1 of 3 days" in found.stderr
    assert "--by: 'pod' is none of" in str(farthing("--by", "pod").exception)
    assert "states no costs" in str(farthing("--reconcile").exception)
    spec(answer([SHOP]), ledger.home.metrics, "k.json")
    assert "choose one by --file: k.csv, k.json" in str(farthing().exception)
    compared = farthing(
        "--file", "k.json", "--reconcile", "--to", "2026-03-02", "--format", "csv"
    ).stdout.splitlines()
    assert compared[1].split(",")[2:4] == ["70.000000000000000001", "6.24"]


HOURS = st.decimals(0, 10**5, places=6)
ROWS = st.lists(
    st.tuples(st.sampled_from(["a", "b", "c"]), st.sampled_from([FIRST, SECOND]), HOURS, HOURS, HOURS, HOURS),
    min_size=1,
    max_size=10,
)


@settings(max_examples=12, deadline=None)
@given(rows=ROWS)
def test_any_hours_weigh_exactly(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, date, Decimal, Decimal, Decimal, Decimal]]
) -> None:
    lines = "".join(
        f"{day},one,{name},web,{','.join(f'{h:f}' for h in hours)}\n" for name, day, *hours in rows
    )
    directory = tmp_path_factory.mktemp("metrics")
    found = weights(spec(TABLE.partition("\n")[0] + "\n" + lines, directory, "k.csv"), directory)
    expected: dict[tuple[date, str], Fraction] = {}
    for name, day, requested, used, gib_requested, gib_used in rows:
        weight = Fraction(max(requested, used)) * Fraction("7.46") + Fraction(max(gib_requested, gib_used))
        expected[day, name] = expected.get((day, name), Fraction(0)) + weight
    assert {(day, name): Fraction(weight) for day, name, weight in found.rows()} == expected
