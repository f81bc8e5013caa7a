"""What the company runs, as data: accounts, teams, and tables of workloads; and how its resources are named and tagged.

A workload (`Shape`) is a fleet, whose resources come and go with demand, or a meter, whose resources stay and use more
or less. About a third of the cost carries no usable team tag, as in life: missing, misspelt, an alias, another case.
"""

import csv
import hashlib
from dataclasses import dataclass, field
from functools import cache
from importlib import resources

Tags = tuple[tuple[str, str], ...]
_GOLDEN = 0.6180339887498949
_ENVIRONMENTS = {
    "prod": (*("prod",) * 7, "Prod", "production", "production", "prd", "prodution", "", ""),
    "staging": ("staging", "staging", "stage", "Staging", "stg", ""),
    "dev": ("dev", "dev", "development", "Dev", "develop", ""),
    "test": ("test", "test", "testing", "qa", ""),
}
"""How an environment is spelt on resources with careless tags; an empty text is no tag."""
_TEAM_IS_WRONG = ((0.60, "right"), (0.78, "missing"), (0.87, "alias"), (0.94, "misspelt"), (1.0, "case"))
"""Shares of resources with careless tags, cumulated, and what is the matter with their team."""


@dataclass(frozen=True)
class Account:
    provider: str
    account_id: str
    name: str
    team: str
    product: str
    environment: str
    cost_center: str


@dataclass(frozen=True)
class Team:
    name: str
    product: str
    cost_center: str
    lead: str
    email: str
    aliases: tuple[str, ...]
    misspelt: str
    application: str
    criticality: str


@dataclass(frozen=True)
class Shape:
    """A workload: `count` resources of one kind that use `quantity` units a day each, at `rate`."""

    key: str
    account: str
    team: str
    env: str
    kind: str
    count: float
    quantity: float
    unit: str
    rate: float
    profile: str
    growth: str
    resource: str = ""
    commitment: str = ""
    tags: str = "none"
    more: dict[str, str] = field(default_factory=dict)
    """The columns that only this provider's table has."""

    def __getitem__(self, column: str) -> str:
        return self.more[column]


def _rows(table: str) -> list[dict[str, str]]:
    text = resources.files("finops_core.demo").joinpath(f"{table}.csv").read_text("utf-8")
    return list(csv.DictReader(text.splitlines()))


@cache
def accounts(provider: str) -> dict[str, Account]:
    """The accounts of a provider by name."""
    found = [Account(*row.values()) for row in _rows("accounts")]
    return {
        a.name if a.provider != "Google Cloud" else a.account_id: a for a in found if a.provider == provider
    }


@cache
def all_accounts() -> tuple[Account, ...]:
    return tuple(Account(*row.values()) for row in _rows("accounts"))


@cache
def teams() -> dict[str, Team]:
    """The teams by name, in the order of the organisation."""
    found = {}
    for row in _rows("teams"):
        aliases = tuple(row.pop("aliases").split("|"))
        found[row["team"]] = Team(
            row["team"],
            row["product"],
            row["cost_center"],
            row["lead"],
            row["email"],
            aliases,
            row["misspelt"],
            row["application"],
            row["criticality"],
        )
    return found


@cache
def shapes(provider: str) -> tuple[Shape, ...]:
    """The workloads of a provider: aws, azure, gcp, observa."""
    own = set(Shape.__dataclass_fields__) - {"more"}
    found = []
    for row in _rows(f"{provider}_estate"):
        known: dict[str, object] = {name: value for name, value in row.items() if name in own}
        known |= {name: float(row[name]) for name in ("count", "quantity", "rate")}
        found.append(Shape(**known, more={n: v for n, v in row.items() if n not in own}))  # type: ignore[arg-type]
    return tuple(found)


def digest(*parts: object) -> str:
    """A stable hexadecimal name for anything."""
    return hashlib.sha256("\x1f".join(map(str, parts)).encode()).hexdigest()


def _position(key: str, number: int) -> float:
    """Spreads the resources of a workload evenly over [0, 1)."""
    return (int(digest(key)[:8], 16) / 2**32 + number * _GOLDEN) % 1.0


def resource_id(shape: Shape, number: int, seed: int, account_id: str, region: str) -> str | None:
    """The provider's id of a resource; None where the provider meters without one."""
    if not shape.resource:
        return None
    name = digest(seed, shape.key, number)
    return shape.resource.format(
        hex=name[:17], HEX=name[:13].upper(), n=number + 1, account=account_id, region=region or "global"
    )


def tags(shape: Shape, number: int) -> Tags:
    """The tags of a resource, in the words of whoever created it."""
    if shape.tags == "none":
        return ()
    at = _position(shape.key, number)
    name = f"{shape.key}-{number + 1:02d}"
    if shape.tags == "bare":
        return (("Name", name),) if at < 0.5 else ()
    team = teams()[shape.team]
    if shape.tags == "cluster":
        return (
            ("Name", name),
            ("team", "platform"),
            ("environment", shape.env),
            ("cost-center", team.cost_center),
            ("aws:eks:cluster-name", "finch-shared"),
        )
    if shape.tags == "good":
        return (
            ("Name", name),
            ("team", team.name),
            ("environment", shape.env),
            ("product", team.product),
            ("application", team.application),
            ("cost-center", team.cost_center),
        )
    return _careless(shape, team, number, name, at)


def _careless(shape: Shape, team: Team, number: int, name: str, at: float) -> Tags:
    wrong = next(what for limit, what in _TEAM_IS_WRONG if at < limit)
    spelt = {
        "right": team.name,
        "missing": "",
        "alias": team.aliases[-1],
        "misspelt": team.misspelt,
        "case": team.aliases[0],
    }[wrong]
    spellings = _ENVIRONMENTS[shape.env]
    environment = spellings[int(_position(shape.key + "/env", number) * len(spellings))]
    key = "Team" if wrong == "case" else "team"
    found = [("Name", name), (key, spelt), ("environment" if at < 0.8 else "env", environment)]
    if at < 0.35:
        found += [("product", team.product), ("application", team.application)]
    if at < 0.5:
        found.append(("cost-center", team.cost_center))
    return tuple((k, v) for k, v in found if v)
