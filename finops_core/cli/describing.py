"""Commands that tell what can be read, grouped by and measured."""

from dataclasses import replace
from typing import Any

from finops_core.cli.session import Json, app, put, put_json, the_home


@app.command()
def formats(as_json: Json = False) -> None:
    """The export formats, with the expression of every FOCUS column."""
    from finops_core.focus.charges import meaning_of
    from finops_core.formats.origins import source_columns
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
                "column_origins": [
                    {
                        "column": column,
                        "expression": expression,
                        "meaning": meaning_of(column),
                        "source_columns": list(source_columns(f, expression)),
                    }
                    for column, expression in f.columns.items()
                ],
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
    from finops_core.model.hierarchies import HIERARCHIES, hierarchies_of, level_below
    from finops_core.vocabulary.dimensions import DIMENSIONS, FILTERS, TAG, Dimension

    def row(found: Dimension) -> dict[str, Any]:
        return {
            "name": found.name,
            "label": found.label,
            "description": found.description,
            "column": found.column,
            "kind": found.kind,
            "group": found.group,
            "ordered": found.ordered,
            "example": found.example or None,
            "hierarchies": [h.name for h in hierarchies_of(found.name)],
            "below": level_below(found.name) if found.kind != "cost" else None,
        }

    rows = [row(found) for found in DIMENSIONS.values()]
    tag = Dimension(f"{TAG}KEY", "Tag", 'Any key of Tags; tag:"KEY" in conditions', "Tags", "text", "Tags")
    rows.append(row(replace(tag, ordered=False)))
    if not as_json:
        _listing(rows, "dimensions", as_json)
        return
    filters = [row(found) for found in FILTERS.values()]
    ways = [
        {"name": h.name, "label": h.label, "description": h.description, "levels": list(h.dimensions)}
        for h in HIERARCHIES.values()
    ]
    put_json({"dimensions": rows, "filters": filters, "hierarchies": ways})


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
            "kind": m.kind,
            "group": m.group,
            "columns": list(m.columns),
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
