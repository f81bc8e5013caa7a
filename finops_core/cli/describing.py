"""Commands that tell what can be read, grouped by and measured."""

from typing import Any

from finops_core.cli.session import Json, app, put, put_json, the_home


@app.command()
def formats(as_json: Json = False) -> None:
    """The export formats, with the expression of every FOCUS column."""
    from finops_core.store.load import known_formats

    _listing(
        [
            {
                "name": f.name,
                "title": f.title,
                "provider": f.provider,
                "description": f.description,
                "required": list(f.required),
                "columns": dict(f.columns),
                "dropped": [{"reason": d.reason, "when": d.when} for d in f.drop],
                "derived": [
                    {"reason": d.reason, "when": d.when, "columns": dict(d.columns)} for d in f.derive
                ],
            }
            for f in known_formats(the_home())
        ],
        "formats",
        as_json,
    )


@app.command()
def dimensions(as_json: Json = False) -> None:
    """What spend can be grouped and filtered by."""
    from finops_core.model.dimensions import DIMENSIONS

    rows = [
        {"name": d.name, "label": d.label, "description": d.description, "column": d.column, "kind": d.kind}
        for d in DIMENSIONS.values()
    ]
    rows.append(
        {
            "name": "tag:KEY",
            "label": "Tag",
            "description": "Any key of Tags",
            "column": "Tags",
            "kind": "text",
        }
    )
    _listing(rows, "dimensions", as_json)


@app.command()
def metrics(as_json: Json = False) -> None:
    """What can be measured."""
    from finops_core.model.metrics import METRICS

    rows = [
        {
            "name": m.name,
            "label": m.label,
            "description": m.description,
            "unit": m.unit,
            "additive": m.additive,
            "formula": m.formula,
        }
        for m in METRICS.values()
    ]
    _listing(rows, "metrics", as_json)


def _listing(rows: list[dict[str, Any]], key: str, as_json: bool) -> None:
    if as_json:
        put_json({key: rows})
        return
    for row in rows:
        put(f"{row['name']:32} {row['description']}")
