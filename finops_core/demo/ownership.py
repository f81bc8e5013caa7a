"""Who owns what: the service catalogue, the account map and the people."""

from pathlib import Path

import polars
import yaml

from finops_core.demo.estate import all_accounts, shapes, teams
from finops_core.demo.writing import write_csv, write_text

_NAMES = ("Alba Reyes", "Bram Kuiper", "Chiara Fontana", "Deniz Aydin", "Edda Holm", "Farid Rahimi",
          "Grace Mbeki", "Hugo Larsen", "Iva Novak", "Jonas Weber", "Kira Tanaka", "Liam Doyle")  # fmt: skip
_FINANCE = (("Sofia Lindqvist", "finance"), ("Oscar Berg", "finops"))


def write_ownership(folder: Path) -> None:
    write_text(
        folder / "services.yaml",
        yaml.safe_dump({"services": _services()}, sort_keys=False, allow_unicode=True),
    )
    rows = [
        {
            "provider": a.provider,
            "account_id": a.account_id,
            "account_name": a.name,
            "team": a.team,
            "product": a.product,
            "environment": a.environment,
            "cost_center": a.cost_center,
        }
        for a in all_accounts()
    ]
    write_csv(folder / "accounts.csv", polars.DataFrame(rows))
    write_csv(folder / "teams.csv", polars.DataFrame(_teams()))
    write_csv(folder / "people.csv", polars.DataFrame(_people()))


def _services() -> list[dict[str, object]]:
    """The catalogue: each application, who answers for it, and by which names its resources are known."""
    found: list[dict[str, object]] = []
    for team in teams().values():
        prefixes = {
            shape.key.split("-")[0]
            for provider in ("aws", "azure", "gcp")
            for shape in shapes(provider)
            if shape.team == team.name and shape.tags != "bare"
        }
        found.append(
            {
                "application": team.application,
                "team": team.name,
                "product": team.product,
                "owner": team.email,
                "cost_center": team.cost_center,
                "criticality": team.criticality,
                "name_prefixes": sorted(prefixes),
            }
        )
    return found


def _teams() -> list[dict[str, str]]:
    return [
        {"team": t.name, "product": t.product, "cost_center": t.cost_center, "lead": t.lead, "email": t.email}
        for t in teams().values()
    ]


def _people() -> list[dict[str, str]]:
    people = []
    for (name, team), colleague in zip(teams().items(), _NAMES, strict=True):
        people.append({"name": team.lead, "email": team.email, "team": name, "role": "lead"})
        mail = colleague.lower().replace(" ", ".") + "@marlowfinch.example"
        people.append({"name": colleague, "email": mail, "team": name, "role": "engineer"})
    for name, role in _FINANCE:
        mail = name.lower().replace(" ", ".") + "@marlowfinch.example"
        people.append({"name": name, "email": mail, "team": "", "role": role})
    return people
