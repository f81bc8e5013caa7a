"""The columns of Google Cloud's detailed export, as BigQuery writes them to parquet."""

import pyarrow

_TEXT = pyarrow.string()
TIME = pyarrow.timestamp("us", "UTC")
_LABELS = pyarrow.list_(pyarrow.struct([("key", _TEXT), ("value", _TEXT)]))
_PAIR = pyarrow.struct([("id", _TEXT), ("description", _TEXT)])
CREDIT = pyarrow.struct(
    [("name", _TEXT), ("amount", pyarrow.float64()), ("full_name", _TEXT), ("id", _TEXT), ("type", _TEXT)]
)
USAGE = pyarrow.struct(
    [
        ("amount", pyarrow.float64()),
        ("unit", _TEXT),
        ("amount_in_pricing_units", pyarrow.float64()),
        ("pricing_unit", _TEXT),
    ]
)
PRICE = pyarrow.struct(
    [
        ("list_price", pyarrow.float64()),
        ("effective_price_default", pyarrow.float64()),
        ("effective_price", pyarrow.float64()),
        ("tier_start_amount", pyarrow.float64()),
        ("unit", _TEXT),
        ("pricing_unit_quantity", pyarrow.float64()),
    ]
)
SCHEMA = pyarrow.schema(
    [
        ("billing_account_id", _TEXT),
        ("service", _PAIR),
        ("sku", _PAIR),
        ("usage_start_time", TIME),
        ("usage_end_time", TIME),
        (
            "project",
            pyarrow.struct(
                [
                    ("id", _TEXT),
                    ("number", _TEXT),
                    ("name", _TEXT),
                    ("labels", _LABELS),
                    ("ancestry_numbers", _TEXT),
                ]
            ),
        ),
        ("labels", _LABELS),
        ("system_labels", _LABELS),
        (
            "location",
            pyarrow.struct([("location", _TEXT), ("country", _TEXT), ("region", _TEXT), ("zone", _TEXT)]),
        ),
        ("resource", pyarrow.struct([("name", _TEXT), ("global_name", _TEXT)])),
        ("export_time", TIME),
        ("cost", pyarrow.float64()),
        ("currency", _TEXT),
        ("currency_conversion_rate", pyarrow.float64()),
        ("usage", USAGE),
        ("credits", pyarrow.list_(CREDIT)),
        ("invoice", pyarrow.struct([("month", _TEXT), ("publisher_type", _TEXT)])),
        ("cost_type", _TEXT),
        (
            "adjustment_info",
            pyarrow.struct([("id", _TEXT), ("description", _TEXT), ("mode", _TEXT), ("type", _TEXT)]),
        ),
        ("price", PRICE),
        ("cost_at_list", pyarrow.float64()),
        ("cost_at_effective_price_default", pyarrow.float64()),
        ("consumption_model", _PAIR),
        ("subscription", pyarrow.struct([("instance_id", _TEXT)])),
        ("transaction_type", _TEXT),
        ("seller_name", _TEXT),
    ]
)
