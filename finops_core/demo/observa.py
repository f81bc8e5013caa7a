"""Observa, a vendor of monitoring: a csv a month and the mapping that reads it, written to HOME/mappings."""

from datetime import timedelta
from pathlib import Path

import numpy
import polars

from finops_core.demo.estate import digest, shapes
from finops_core.demo.money import MICRO, cost, text
from finops_core.demo.seasons import Month
from finops_core.demo.totals import MonthTotals
from finops_core.demo.usage import use
from finops_core.demo.writing import write_csv, write_text

_SUBSCRIPTION = 1450.0
MAPPING = """\
# Observa's monthly statement, downloaded from Billing > Usage details.
name: observa
provider: Observa
match: [Statement, Usage Date, Organization, Product, SKU, Amount, Line Type]
cost: Amount
currency: Currency
date: {column: Usage Date, format: iso}
category:
  column: Line Type
  map: {usage: Usage, subscription: Purchase, credit: Credit}
columns:
  BillingAccountId: Account
  SubAccountId: Organization
  ServiceName: Product
  ServiceCategory: {value: Management and Governance}
  InvoiceId: Statement
  SkuId: SKU
  ChargeDescription: SKU
  PricingQuantity: Quantity
  PricingUnit: Unit
  ConsumedQuantity: Quantity
  ConsumedUnit: Unit
  ListCost: List Amount
tags:
  team: Team
  environment: Environment
"""
_DISCOUNT = 0.9
COLUMNS = (
    "Statement", "Account", "Organization", "Usage Date", "Line Type", "Product", "SKU", "Team", "Environment",
    "Quantity", "Unit", "List Amount", "Amount", "Currency",
)  # fmt: skip


def write_mapping(mappings: Path) -> None:
    write_text(mappings / "observa.yaml", MAPPING)


def write_month(root: Path, month: Month, scale: float, seed: int) -> MonthTotals:
    """Writes a statement. Returns what a reader must find."""
    estate = shapes("observa")
    usage = use(estate, month, scale, seed, (), "observa")
    rate = numpy.array([s.rate for s in estate])[usage.shape][:, None]
    # A statement is in cents.
    listed = numpy.rint(cost(usage.micro, rate) / 10**8).astype(numpy.int64) * 10**8
    paid = numpy.rint(listed * _DISCOUNT / 10**8).astype(numpy.int64) * 10**8
    found, rows = MonthTotals(), []
    same = {"Statement": f"OBS-{month.first:%Y%m}-{digest(month.label)[:4].upper()}", "Account": "AC-20417"}
    for column, day in enumerate(month.days):
        for at, index in enumerate(usage.shape):
            shape = estate[index]
            amount = int(paid[at, column])
            rows.append(
                same
                | {
                    "Organization": f"marlow-finch/{shape.account}",
                    "Usage Date": day.isoformat(),
                    "Line Type": "usage",
                    "Product": shape["product"],
                    "SKU": shape["sku"],
                    "Team": shape.team,
                    "Environment": shape.env,
                    "Quantity": f"{usage.micro[at, column] / MICRO:.6f}",
                    "Unit": shape.unit,
                    "List Amount": text(int(listed[at, column])),
                    "Amount": text(amount),
                }
            )
            found.add_team(shape.team, amount)
    amount = round(_SUBSCRIPTION * scale * 100) * 10**8
    rows.append(
        same
        | {
            "Organization": "marlow-finch",
            "Usage Date": month.first.isoformat(),
            "Line Type": "subscription",
            "Product": "Platform",
            "SKU": "Enterprise plan",
            "List Amount": text(amount),
            "Amount": text(amount),
        }
    )
    found.add_team("", amount)
    found.rows = len(rows)
    found.billed = found.effective = sum(found.teams.values())
    frame = polars.DataFrame(
        [{name: row.get(name, "") for name in COLUMNS} | {"Currency": "USD"} for row in rows]
    )
    last = month.following - timedelta(days=1)
    write_csv(root / f"observa-statement-{month.first}-{last}.csv", frame.select(COLUMNS))
    return found
