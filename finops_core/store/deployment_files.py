"""Files of deployments: a CSV, a JSON list of the same fields, or the releases that GitHub's and GitLab's interfaces give."""

import json
from typing import Any
from urllib.parse import urlparse

from finops_core.errors import InputRefused, Place, UsageError
from finops_core.store.deployments import COLUMNS, Deployment, from_csv, in_utc

_LONGEST = 300


def read(
    data: bytes, name: str, team: str = "", application: str = "", environment: str = "prod"
) -> list[Deployment]:
    """The deployments of a file; of releases, which tell no team or application, as they are given here or by the repository's name.

    Raises InputRefused naming row (the place in the list) and field of the first thing that is wrong; then none counts.
    """
    if data.lstrip()[:1] not in (b"[", b"{"):
        return from_csv(data, name)
    try:
        told = json.loads(data)
    except (ValueError, UnicodeDecodeError) as error:
        raise InputRefused(f"no JSON: {error}", Place(name)) from error
    rows = [told] if isinstance(told, dict) else told
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        raise InputRefused("is no list of deployments or releases", Place(name))
    given = {"team": team, "application": application, "environment": environment}
    found = [
        _one(row, given, Place(name, number)) for number, row in enumerate(rows, 1) if not row.get("draft")
    ]
    if not found:
        raise InputRefused("holds no deployments", Place(name))
    return found


def _one(row: dict[str, Any], given: dict[str, str], place: Place) -> Deployment:
    values = (
        _released(row, given)
        if "tag_name" in row
        else {c: str(row.get(c) or given.get(c, "")) for c in COLUMNS}
    )
    for column, text in values.items():
        if len(text) > _LONGEST:
            values[column] = f"{text[: _LONGEST - 1]}…"
    try:
        values["deployed_at"] = in_utc(values["deployed_at"])
    except UsageError as error:
        raise InputRefused(str(error), Place(place.file, place.row, "deployed_at")) from error
    if not values["team"] and not values["application"]:
        raise InputRefused(
            "names neither a team nor an application", place, "Say which with --team or --application"
        )
    return Deployment(**values)


def _released(row: dict[str, Any], given: dict[str, str]) -> dict[str, str]:
    """A release: `published_at` at GitHub, `released_at` at GitLab; the repository is the path of its page before `/releases`."""
    link = row.get("html_url") or (row.get("_links") or {}).get("self") or ""
    path = urlparse(str(link)).path.split("/-/")[0].split("/releases")[0]
    repository = path.rstrip("/").rpartition("/")[2]
    when = row.get("published_at") or row.get("released_at") or row.get("created_at") or ""
    name = str(row.get("name") or "")
    return {
        "deployed_at": str(when),
        "team": given["team"],
        "application": given["application"] or ("" if given["team"] and not repository else repository),
        "environment": given["environment"],
        "version": str(row["tag_name"]),
        "change": "" if name == row["tag_name"] else name,
    }
