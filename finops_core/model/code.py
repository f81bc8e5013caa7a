"""A Query as code: what a reader pastes into a notebook, a shell or a SQL client to get the same figures."""

import shlex

from finops_core.model import engine
from finops_core.model.query import Query, conditions


def as_python(query: Query) -> str:
    """Python that asks the Query."""
    parts = [repr(query.metrics[0] if len(query.metrics) == 1 else list(query.metrics))]
    if query.by:
        parts.append(f"by={list(query.by)!r}")
    if query.grain != "none":
        parts.append(f"grain={query.grain!r}")
    if query.where:
        parts.append(f"where={[str(c) for c in conditions(query.where)]!r}")
    parts += [
        f"{name}={str(value) if name == 'limit' else repr(str(value))}"
        for name, value in (
            ("start", query.start),
            ("end", query.end),
            ("order", query.order),
            ("limit", query.limit),
        )
        if value is not None
    ]
    if query.allocated:
        parts.append("allocated=True")
    return (
        "from finops_core import Ledger, Query\n\n"
        'ledger = Ledger.open("data")\n'
        f"table = ledger.query(Query({', '.join(parts)}))\n"
    )


def as_command(query: Query) -> str:
    """The command line that asks the Query."""
    words = ["farthing", "query"]
    for flag, values in (
        ("--metric", query.metrics),
        ("--by", query.by),
        ("--where", [str(c) for c in conditions(query.where)]),
    ):
        for value in values:
            words += [flag, value]
    if query.grain != "none":
        words += ["--grain", query.grain]
    ends = {"--from": query.start, "--to": query.end, "--order": query.order, "--limit": query.limit}
    for flag, end in ends.items():
        if end is not None:
            words += [flag, str(end)]
    if query.allocated:
        words.append("--allocated")
    return shlex.join([*words, "--format", "csv"])


def as_sql(query: Query) -> str:
    """DuckDB's SQL of the Query, over the tables of finops.duckdb."""
    return engine.sql(query)
