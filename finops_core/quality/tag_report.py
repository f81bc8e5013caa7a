"""Tag coverage as JSON: money as plain decimals in text, shares as numbers from 0 to 1."""

from decimal import Decimal
from typing import Any

import polars

from finops_core.model.engine import CURRENCY
from finops_core.model.export import cell
from finops_core.quality.tags import Apart, Coverage, KeyCoverage, Offender, Resources, Tally, shares
from finops_core.store.batches import plain

Object = dict[str, Any]


def report(found: Coverage, members: polars.DataFrame | None = None) -> Object:
    """`keys`: one object a key and currency; with `members` (of `tags.members`) each has those of it. `not_taggable`: by
    service and reason. `totals`: all EffectiveCost by currency, which is taggable and not taggable together."""
    return {
        "keys": [_key(key, members) for key in found.keys],
        "not_taggable": [_apart(line) for line in found.not_taggable],
        "totals": [
            {CURRENCY: currency, "EffectiveCost": plain(cost)} for currency, cost in found.totals.items()
        ],
    }


def _key(found: KeyCoverage, members: polars.DataFrame | None) -> Object:
    return {
        "key": found.key,
        CURRENCY: found.currency,
        **_tally(found.tally),
        **_resources(found.resources),
        "not_allowed": [{"value": v.value, "cost": plain(v.cost), "rows": v.rows} for v in found.not_allowed],
        "near_misses": [
            {"value": m.value, "proposed": m.proposed, "why": m.why, "cost": plain(m.cost)}
            for m in found.near_misses
        ],
        "offenders": [_offender(offender) for offender in found.offenders],
        "excepted": [
            {
                "name": exception.name,
                "where": exception.where,
                "owner": exception.owner,
                "reason": exception.reason,
                "until": exception.until,
                "cost": plain(cost),
                "rows": rows,
            }
            for exception, cost, rows in found.excepted
        ],
        "owner_column": found.owner,
        "definition": found.definition,
        **({} if members is None else {"members": _members(found, members)}),
    }


def _tally(tally: Tally) -> Object:
    by_share = shares(tally)
    return {
        "taggable_cost": plain(tally.taggable_cost),
        "covered_cost": plain(tally.covered_cost),
        "uncovered_cost": plain(tally.uncovered_cost),
        "excepted_cost": plain(tally.excepted_cost),
        "effective_cost": plain(tally.effective_cost),
        "taggable_rows": tally.taggable_rows,
        "covered_rows": tally.covered_rows,
        "coverage_by_cost": by_share["coverage_by_cost"],
        "coverage_by_rows": by_share["coverage_by_rows"],
        "effective_coverage_by_cost": by_share["effective_coverage_by_cost"],
    }


def _resources(found: Resources) -> Object:
    part = found.coverage
    return {
        "taggable_resources": found.taggable,
        "covered_resources": found.covered,
        "coverage_by_resources": None if part is None else float(part),
    }


def _offender(found: Offender) -> Object:
    figures: Object = {"by": found.by, **found.member, "uncovered_cost": plain(found.uncovered_cost)}
    if found.tally is not None:
        figures["taggable_cost"] = plain(found.tally.taggable_cost)
        figures["coverage_by_cost"] = shares(found.tally)["coverage_by_cost"]
    return figures


def _members(found: KeyCoverage, members: polars.DataFrame) -> list[Object]:
    rows = members.filter((polars.col("key") == found.key) & (polars.col(CURRENCY) == found.currency))
    hidden = ("key", CURRENCY, "effective_excepted_cost", "effective_excepted_rows")
    return [
        {name: cell(value) for name, value in row.items() if name not in hidden}
        for row in rows.iter_rows(named=True)
    ]


def _apart(line: Apart) -> Object:
    return {
        CURRENCY: line.currency,
        "ServiceName": line.service,
        "why": line.why,
        "cost": plain(Decimal(line.cost)),
        "rows": line.rows,
    }
