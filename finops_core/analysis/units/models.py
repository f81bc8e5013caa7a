"""What machine learning costs by its own units: tokens by model, hours of accelerators. From the charges alone."""

import re
from datetime import date
from decimal import Decimal
from typing import Any

import polars

from finops_core.analysis.units.measured import MONEY, per_unit
from finops_core.model.engine import CURRENCY
from finops_core.model.ledger import Ledger
from finops_core.model.query import Condition, Query, Where, conditions

MILLION = Decimal(1_000_000)
_BY = ("ServiceName", "x_UsageType", "ConsumedUnit")
_TOKENS = re.compile(r"tokens?\b|gemini [2-9].*\b(input|output)\b", re.IGNORECASE)
_BLOCKS = {"1k tokens": 1_000, "1k": 1_000, "1m": 1_000_000, "1m tokens": 1_000_000, "1000 tokens": 1_000}
_SINGLE = ("tokens", "token", "units", "count", "requests", "1", "")
_KINDS = (("cached", r"cach"), ("output", r"out(p|put)?\b|output|outp"), ("input", r"in(p|put)?\b|input|inp"))
_REGION = re.compile(r"^[A-Z]{2,4}\d?-(?=[A-Z])")
_WORDS = re.compile(
    r"[-_ ]?(text[-_ ])?(input|output|inp|outp|cached?|cchd|in|out|opt)\b|[-_ ]?(tokens?|count|predictions|glbl|global|regional|batch|dz|data zone|text)\b",
    re.IGNORECASE,
)
_ACCELERATOR = re.compile(
    r"(?<![a-z0-9])(ml\.)?(p[2-6][a-z]*|g[3-7][a-z]*|trn\d[a-z]*|inf\d|dl[12][a-z]*)\.(\d*x?(large|metal)|\d+xl)"
    r"|\bN[CDV][A-Z]*\d+|\b(nvidia|gpu|tpu|a100|h100|h200|b200|l4|t4|v100)\b",
    re.IGNORECASE,
)
_PERHOUR = {
    "hrs": 1,
    "hours": 1,
    "hour": 1,
    "1 hour": 1,
    "h": 1,
    "gibibyte hour": 0,
    "seconds": 3600,
    "second": 3600,
}
_CARDS = {
    "g4dn": {"12xlarge": 4, "metal": 8}, "g5": {"12xlarge": 4, "24xlarge": 4, "48xlarge": 8}, "g6": {"12xlarge": 4, "24xlarge": 4, "48xlarge": 8},
    "g6e": {"12xlarge": 4, "24xlarge": 4, "48xlarge": 8}, "p3": {"8xlarge": 4, "16xlarge": 8}, "p4d": {"24xlarge": 8}, "p4de": {"24xlarge": 8},
    "p5": {"48xlarge": 8, "4xlarge": 1}, "p5e": {"48xlarge": 8}, "p5en": {"48xlarge": 8},
}  # fmt: skip
"""AWS machine → size → GPUs in it, where that is not one (the makers' own tables)."""


def tokens(ledger: Ledger, start: date | None, end: date | None, where: Where = ()) -> polars.DataFrame:
    """BillingCurrency, ServiceName, `model`, `kind` (input, output, cached, other), x_UsageType, `cost`, `tokens` (exact as metered),
    `cost_per_million`: null where the unit of the quantity is not known. The costliest first."""
    found = _usage(ledger, start, end, where)
    rows = []
    for row in found.iter_rows(named=True):
        told = row["x_UsageType"] or ""
        unit = (row["ConsumedUnit"] or "").strip().lower()
        if not (_TOKENS.search(told) or "token" in unit):
            continue
        block = _BLOCKS.get(unit) or (1 if unit in _SINGLE else None)
        quantity = Decimal(repr(row["quantity"])) * block if block and row["quantity"] else None
        kind = next((name for name, form in _KINDS if re.search(form, told, re.IGNORECASE)), "other")
        rows.append((row[CURRENCY], row["ServiceName"], _model(told), kind, told, row["cost"], quantity))
    schema: dict[str, Any] = {CURRENCY: polars.String, "ServiceName": polars.String, "model": polars.String, "kind": polars.String,
              "x_UsageType": polars.String, "cost": MONEY, "tokens": MONEY}  # fmt: skip
    table = polars.DataFrame(rows, schema, orient="row")
    rates = [
        None if (rate := per_unit(cost, amount)) is None else rate * MILLION
        for cost, amount in table.select("cost", "tokens").iter_rows()
    ]
    return table.with_columns(polars.Series("cost_per_million", rates, MONEY)).sort(
        [CURRENCY, "cost"], descending=[False, True]
    )


def _model(usage: str) -> str:
    """The model in a usage type: `USE1-Claude-Sonnet-output-tokens` is Claude Sonnet."""
    plain = _WORDS.sub(" ", _REGION.sub("", usage)).replace("-", " ").replace("_", " ")
    return " ".join(plain.split()) or usage


def accelerators(
    ledger: Ledger,
    start: date | None,
    end: date | None,
    where: Where = (),
) -> polars.DataFrame:
    """BillingCurrency, ServiceName, x_UsageType, `cost`, `hours` of the machine (of the card, where that is what is charged),
    `gpus` in it (null: not known), `cost_per_hour`; the costliest first.

    Idle commitments are among the cost and have no hours.
    """
    found = _usage(ledger, start, end, where)
    rows = []
    for row in found.iter_rows(named=True):
        told = row["x_UsageType"] or ""
        match = _ACCELERATOR.search(told)
        unit = _PERHOUR.get((row["ConsumedUnit"] or "").strip().lower())
        if match is None or not unit:
            continue
        hours = Decimal(repr(row["quantity"])) / unit if row["quantity"] else None
        rows.append((row[CURRENCY], row["ServiceName"], told, row["cost"], hours, _cards(match)))
    schema: dict[str, Any] = {CURRENCY: polars.String, "ServiceName": polars.String, "x_UsageType": polars.String, "cost": MONEY,
              "hours": MONEY, "gpus": polars.Int64}  # fmt: skip
    rows = [(*r[:4], None if r[4] is None else r[4].quantize(Decimal(1).scaleb(-18)), r[5]) for r in rows]
    table = polars.DataFrame(rows, schema, orient="row")
    rates = [per_unit(cost, hours) for cost, hours in table.select("cost", "hours").iter_rows()]
    return table.with_columns(polars.Series("cost_per_hour", rates, MONEY)).sort(
        [CURRENCY, "cost"], descending=[False, True]
    )


def idle_share(cards: polars.DataFrame, used: Decimal) -> Decimal | None:
    """The share of paid GPU hours (of `accelerators`, where the number of cards is known) that `used` hours leave idle, 0 to 1; None where
    none are known, or more were used than those."""
    rows = cards.drop_nulls(["hours", "gpus"]).select("hours", "gpus").iter_rows()
    paid = sum((hours * count for hours, count in rows), Decimal(0))
    return (1 - used / paid).quantize(Decimal("0.000001")) if paid >= used >= 0 and paid else None


def is_used_hours(metric: str) -> bool:
    """Whether a metric of units is the hours in which GPUs worked, such as gpu_hours_used."""
    return bool(
        re.search(
            r"(gpu|accelerator).*(used|busy|active)|(used|busy|active).*(gpu|accelerator)",
            metric,
            re.IGNORECASE,
        )
    )


def _cards(match: re.Match[str]) -> int | None:
    """GPUs of what is charged: cards are charged one by one, machines have what their maker says."""
    if match.group(2) is None:
        return None if match.group(0)[:1].upper() == "N" and match.group(0)[-1].isdigit() else 1
    family, size = match.group(2).lower(), (match.group(3) or "").lower()
    return _CARDS[family].get(size, 1) if family in _CARDS else None


def _usage(ledger: Ledger, start: date | None, end: date | None, where: Where) -> polars.DataFrame:
    """Usage by service, usage type and unit: `cost`, `quantity` as metered."""
    query = Query(
        ("EffectiveCost", "ConsumedQuantity"),
        by=_BY,
        where=(*conditions(where), Condition("ChargeCategory", "=", ("Usage",))),
        start=start,
        end=end,
    )
    return ledger.query(query).rename({"EffectiveCost": "cost", "ConsumedQuantity": "quantity"})
