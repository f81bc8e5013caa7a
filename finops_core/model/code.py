"""A Query as code: what a reader pastes into a notebook, a shell or a SQL client to get the same figures."""

import shlex

from finops_core.model import engine
from finops_core.model.periods import Period
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


def movers_command(query: Query, versus: Period) -> str:
    """The command line that tells what moved a Query's cost since another period."""
    line = ["farthing", "movers", "--metric", query.metrics[0]]
    for name in query.by:
        line += ["--by", name]
    for condition in conditions(query.where):
        line += ["--where", str(condition)]
    for flag, value in (("--from", query.start), ("--to", query.end), ("--versus", versus)):
        line += [flag, str(value)]
    return shlex.join([*line, "--format", "csv"])


def movers_in_python(query: Query, versus: Period) -> str:
    """Python that asks what moved a Query's cost since another period."""
    asked = as_python(query.but(metrics=query.metrics[:1], grain="none", order=None, limit=None))
    asked = asked.replace(
        "\n\n",
        "\nfrom finops_core.analysis.movers import movers\nfrom finops_core.model.periods import Period\n\n",
        1,
    )
    asked = asked.replace("table = ledger.query(", "table = movers(ledger, ", 1)
    return asked.rstrip("\n").removesuffix(")") + f", Period.parse({str(versus)!r})).table\n"


def as_sql(query: Query) -> str:
    """DuckDB's SQL of the Query, over the tables of finops.duckdb."""
    return engine.sql(query)
