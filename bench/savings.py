"""On the demo company: every waste that was planted is found, everything that is found was planted or is explained, no charge is counted
twice, each opportunity's query has its cost to the last digit, and looking takes less than 3 s."""

import json
from decimal import Decimal

from _claims import Claims, arguments, farthing, seconds, workspace

from finops_core import Ledger
from finops_core.analysis.savings import find
from finops_core.model.query import conditions

options = arguments(0)
claims = Claims()
with workspace(options.directory) as directory:
    home = directory / "home-demo"
    if not (home / "finops.duckdb").exists():
        farthing(home, "demo")
    ledger = Ledger.open(home)
    found = find(ledger)
    truth = json.loads((home / "demo" / "truth.json").read_text())["waste"]
    for one in found:
        print(
            f"{one.kind:26} {one.team or '(nobody)':14} {one.cost:12,.2f} {one.currency}, {one.saving:10,.2f} could be saved"
        )
    kinds = {(one.kind, one.team) for one in found}
    missed = [p for p in truth["planted"] if (p["kind"], p["team"]) not in kinds]
    claims.at_most("planted and not found", len(missed), 0)
    planted = {(p["kind"], p["team"]) for p in truth["planted"]}
    strange = [k for k in kinds - planted if k[0] not in truth["explained"]]
    claims.at_most("found, and neither planted nor explained", len(strange), 0)
    wrong = [o for o in found if ledger.query(o.query)["EffectiveCost"].sum() != o.cost]
    claims.at_most("opportunities whose query has another cost", len(wrong), 0)
    twice = 0
    for place, one in enumerate(found):
        for other in found[place + 1 :]:
            if one.currency == other.currency:
                both = one.query.but(where=(*conditions(one.query.where), *conditions(other.query.where)))
                twice += Decimal(ledger.query(both)["EffectiveCost"].sum() or 0) != 0
    claims.at_most("pairs that count a charge twice", twice, 0)
    claims.at_most("time to look", seconds(lambda: find(ledger)), 3, " s")
claims.finish()
