"""The tables of the state: what people typed, what allocation is in force, and who changed what.

Plain types that SQLite and PostgreSQL have alike; times are UTC as ISO 8601, money is text.
"""

from sqlalchemy import Column, Integer, MetaData, String, Table, Text

TABLES = MetaData()

INVOICES = Table(
    "invoices",
    TABLES,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("source", String(100), nullable=False),
    Column("billing_period", String(7), nullable=False),
    Column("currency", String(3), nullable=False),
    Column("total", String(60)),
    Column("note", String(1000), nullable=False),
    Column("entered_by", String(200), nullable=False),
    Column("entered_at", String(20), nullable=False),
)
RECORDS = Table(
    "records",
    TABLES,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("kind", String(40), nullable=False, index=True),
    Column("key", String(400), nullable=False),
    Column("record", Text),
    Column("entered_by", String(200), nullable=False),
    Column("entered_at", String(20), nullable=False),
)
"""Everything else that is typed: a JSON object by kind and key, or null where it was taken back."""

AUDIT = Table(
    "audit",
    TABLES,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("at", String(20), nullable=False),
    Column("who", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("details", Text, nullable=False),
    Column("previous_hash", String(64), nullable=False, unique=True),
    Column("hash", String(64), nullable=False, unique=True),
)
"""The audit log, a chain of hashes: nothing can follow an entry twice. See `finops_core.store.audit`."""

RULE_TEXTS = Table(
    "rule_texts",
    TABLES,
    Column("sha256", String(64), primary_key=True),
    Column("text", Text, nullable=False),
)
"""The texts of rule files, each once however many versions have it."""

RULE_VERSIONS = Table(
    "rule_versions",
    TABLES,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("at", String(20), nullable=False),
    Column("author", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("files", Text, nullable=False),
)
"""Applied versions of the allocation rules: `files` is JSON, name of the file → sha256 of its text."""
