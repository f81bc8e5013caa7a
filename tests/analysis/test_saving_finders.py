"""What could be saved, told from the words of AWS, Azure and Google; each charge once, each query with its cost."""

import json
from datetime import date
from decimal import Decimal

import pytest

from finops_core import Ledger
from finops_core.analysis.savings import find
from finops_core.store.home import Home
from finops_core.store.load import load
from finops_core.store.savings import items
from finops_core.store.state import State
from tests.exports import FOCUS_HEADER, focus_row, write_focus
from tests.shell import farthing

HEADER = [*FOCUS_HEADER, "x_UsageType", "PricingCategory", "PricingQuantity"]
EC2, VM, GCE = "Amazon Elastic Compute Cloud", "Virtual Machines", "Compute Engine"
WASTE = (
    # usage type, meter or SKU; service; resource; cost a day; kind
    ("ElasticIP:IdleAddress", EC2, "eip-1", "1.5", "idle-addresses"),
    ("EUW1-PublicIPv4:IdleAddress", "Amazon Virtual Private Cloud", "eip-2", "1.5", "idle-addresses"),
    ("Static Ip Charge", GCE, "address-1", "1.5", "idle-addresses"),
    ("USE2-EBS:VolumeUsage.gp2", EC2, "vol-1", "8", "gp2-volumes"),
    ("LoadBalancerUsage", "Elastic Load Balancing", "alb-idle", "1.5", "idle-load-balancers"),
    ("LoadBalancerUsage", "Elastic Load Balancing", "alb-busy", "1.5", None),
    ("LCUUsage", "Elastic Load Balancing", "alb-busy", "4", None),
    ("NatGateway-Hours", EC2, "nat-idle", "1.5", "idle-gateways"),
    ("NatGateway-Hours", EC2, "nat-busy", "1.5", None),
    ("NatGateway-Bytes", EC2, "nat-busy", "9", None),
    ("BoxUsage:m4.large", EC2, "i-old", "20", "old-generations"),
    ("APN1-BoxUsage:m7g.large", EC2, "i-new", "20", None),
    ("DS3 v2", VM, "vm-old", "20", "old-generations"),
    ("D8s v5", VM, "vm-new", "20", None),
    ("N1 Predefined Instance Core running in Americas", GCE, "g-old", "20", "old-generations"),
    ("DataTransfer-Regional-Bytes", "AWS Data Transfer", "", "5", "zone-traffic"),
    ("DataProcessing-Bytes", "AmazonCloudWatch", "log-1", "5", "log-ingest"),
    ("Analytics Logs Data Ingestion", "Azure Monitor", "log-2", "5", "log-ingest"),
    ("TimedStorage-ByteHrs", "Amazon Simple Storage Service", "hot", "9", "untiered-storage"),
    ("TimedStorage-ByteHrs", "Amazon Simple Storage Service", "tiered", "9", None),
    ("TimedStorage-SIA-ByteHrs", "Amazon Simple Storage Service", "tiered", "2", None),
    ("Hot LRS Data Stored", "Storage Accounts", "blob", "9", "untiered-storage"),
    ("Lambda-GB-Second", "AWS Lambda", "fn-x86", "9", "over-allocated-functions"),
    ("Lambda-GB-Second-ARM", "AWS Lambda", "fn-arm", "9", None),
)


def charge(day: int, usage: str, service: str, resource: str, cost: str, **more: str) -> dict[str, str]:
    return focus_row(
        EffectiveCost=cost, BilledCost=cost, ServiceName=service, ResourceId=resource, x_UsageType=usage, PricingCategory="Standard",
        PricingQuantity="1", ChargePeriodStart=f"2026-09-{day:02}T00:00:00Z",
        ChargePeriodEnd=f"2026-09-{day + 1:02}T00:00:00Z" if day < 30 else "2026-10-01T00:00:00Z", **{"RegionId": "here", **more},
    )  # fmt: skip


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    folder = tmp_path_factory.mktemp("waste")
    rows = [charge(day, *line[:4]) for day in range(1, 31) for line in WASTE]
    dev = {"Tags": json.dumps({"team": "search", "environment": "dev"})}
    for day in range(1, 31):
        weekend = date(2026, 9, day).isoweekday() > 5
        rows += [
            charge(day, "BoxUsage:m6i.large", EC2, "i-awake", "10", **dev),
            charge(day, "BoxUsage:c6i.large", EC2, "i-sleeps", "1" if weekend else "10", **dev),
            charge(day, "EBS:VolumeUsage.gp3", EC2, "vol-lost", "3", RegionId="nowhere"),
            charge(day, "EBS:VolumeUsage.gp3", EC2, "vol-kept", "3"),
            charge(day, "ComputeSP:1yrNoUpfront", "Savings Plans", "", "4", CommitmentDiscountId="sp-1", CommitmentDiscountStatus="Unused"),
        ]  # fmt: skip
    found = Home(folder / "home")
    load(found, [write_focus(folder / "focus.csv", rows, header=HEADER)])
    return found


def test_waste_is_found_by_the_words_of_three_clouds_and_nothing_else_is(home: Home) -> None:
    ledger = Ledger(home)
    told: dict[str, set[str]] = {}
    for one in find(ledger):
        told.setdefault(one.kind, set()).update(name for name, _ in one.resources)
    wanted: dict[str, set[str]] = {}
    for _, _, resource, _, kind in WASTE:
        if kind:
            wanted.setdefault(kind, set()).update({resource} - {""})
    wanted |= {
        "sleepless-machines": {"i-awake"},
        "unattached-volumes": {"vol-lost"},
        "unused-commitments": set(),
    }
    assert told == wanted


def test_each_query_has_its_cost_and_no_charge_counts_twice(home: Home) -> None:
    ledger = Ledger(home)
    found = find(ledger)
    for one in found:
        assert ledger.query(one.query)["EffectiveCost"].sum() == one.cost
        assert 0 < one.saving <= one.cost
    idle = next(o for o in found if o.kind == "idle-addresses")
    days = (idle.query.end - idle.query.start).days  # type: ignore[operator]
    assert idle.cost == Decimal("4.5") * (idle.cost / Decimal("4.5")) and idle.saving == idle.cost
    assert days == 30
    everything = sum(o.cost for o in found)
    lines = [line for line in WASTE if line[4]]
    a_day = sum(Decimal(line[3]) for line in lines) + 10 + 3 + 4
    assert everything % a_day == 0 and everything // a_day in (29, 30)


def test_what_is_found_becomes_ideas_once(home: Home) -> None:
    told = json.loads(farthing(home, "savings", "find", "--json", "--add").stdout)["opportunities"]
    assert len(items(State(home))) == len(told)
    assert farthing(home, "savings", "find", "--add").stderr.startswith("0 ideas added")
    first = items(State(home))[0]
    assert (first.state, first.currency, first.expected_monthly) == (
        "idea",
        "USD",
        Decimal(told[0]["saving"]),
    )
