"""On harsh data: applying rules and splitting pools of all methods over 5M rows takes less than 60 s and 4 GB; a change of one
rule that is dated touches its months only, a change of a pool's split no charge at all, and both are faster than all anew."""

import json
import shutil
from pathlib import Path
from typing import Any

from _claims import Claims, arguments, farthing, workspace
from _exports import ACCOUNTS, SERVICES, TEAMS, write_focus_parquet

NAMES = [f"team-{number}" for number in range(TEAMS)]
CHANGED = "2026-06-01"


def rules(last: str = "team-1", evenly: Any = "all") -> dict[str, Any]:
    """A rule set as a company has it: tags with spellings, an account map, patterns, dated exceptions, six pools."""
    known = {"tag": ["team", "owner"], "only": NAMES, "spellings": {n: [n.upper(), f"{n}-x"] for n in NAMES}}
    accounts = {f"account-{number}": NAMES[number % TEAMS] for number in range(ACCOUNTS)}
    made = [
        {
            "name": f"service {n}",
            "when": [f"ServiceName=Service {n}", "tag:env=dev"],
            "set": {"x_Team": NAMES[n % TEAMS]},
        }
        for n in range(20)
    ]
    return {
        "rules": [
            {"name": "tag", "set": {"x_Team": known, "x_CostCenter": {"tag": "cost-center"}}},
            *made,
            {"name": "exception", "from": CHANGED, "when": "SubAccountId ^= account-1", "set": {"x_Team": last}},
            {"name": "account", "set": {"x_Team": {"column": "SubAccountId", "map": accounts}}},
            {"name": "name", "set": {"x_Team": {"column": "ResourceId", "pattern": "([0-9])$", "map": {"1": "team-1"}}}},
            {"name": "env", "set": {"x_Environment": {"tag": ["env"], "spellings": {"prod": ["Production"]}}}},
        ],
        "pools": [
            {"name": "tax", "when": "ChargeCategory=Tax", "split": {"direct": "all"}},
            {"name": "unused", "when": "CommitmentDiscountStatus=Unused", "split": {"even": evenly}},
            {"name": "cluster", "when": "ServiceName=Service 1", "split": {"driver": {"kind": "table", "file": "hours.csv", "quantity": "hours"}}},
            {"name": "lake", "when": "ServiceName=Service 2", "split": {"fixed": {"team-1": "1/3", "team-2": "1/3", "pool:seats": "1/3"}}},
            {"name": "seats", "when": "ServiceName=Service 3", "split": {"direct": [*NAMES[:9], "pool:lake"]}},
            {"name": "support", "when": "ServiceName=Service 4", "split": {"tiered": {"team-1": 5}, "currency": "USD", "rest": {"direct": "all"}}},
        ],
    }  # fmt: skip


def write(folder: Path, content: dict[str, Any]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "allocation.yaml"
    file.write_text(json.dumps(content))
    return file


def write_hours(folder: Path) -> None:
    days = [f"2026-{month:02d}-{day:02d}" for month in range(1, 8) for day in range(1, 29)]
    lines = [
        f"{day},{name},{1 + (number * 7 + len(day)) % 11}"
        for day in days
        for number, name in enumerate(NAMES)
    ]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "hours.csv").write_text("date,team,hours\n" + "\n".join(lines) + "\n")


options = arguments(5_000_000)
claims = Claims()
with workspace(options.directory) as directory:
    export = directory / f"focus-{options.rows}.parquet"
    if not export.exists():
        write_focus_parquet(export, options.rows)
    home = directory / "home-allocation"
    shutil.rmtree(home, ignore_errors=True)
    write_hours(home / "metrics")
    print(
        f"load, shipped rules: {farthing(home, 'ingest', str(export), '--source', 'bench')[0]:.1f} s; {SERVICES} services"
    )

    def apply(content: dict[str, Any]) -> tuple[float, float]:
        file = write(directory / "rules", content)
        return farthing(home, "allocate", "apply", str(file), "--reason", "bench", "--who", "bench")

    taken, memory = apply(rules())
    claims.at_most(f"applying rules and splits to {options.rows:,} rows", taken, 60, " s")
    claims.at_most("peak memory", memory, 4, " GB")
    rule, _ = apply(rules(last="team-2"))
    claims.at_most("one dated rule changed ÷ all", rule / taken, 0.7)
    split, _ = apply(rules(last="team-2", evenly=NAMES[:5]))
    claims.at_most("one split changed ÷ all", split / taken, 0.4)
    print(f"all {taken:.1f} s, one dated rule {rule:.1f} s, one split {split:.1f} s")
claims.finish()
