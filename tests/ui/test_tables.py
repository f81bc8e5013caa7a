"""Tables leave room for what stands in them."""

import json

from streamlit.testing.v1 import AppTest

ADDRESS = "yusuf.petrov@marlowfinch.example"


def _table() -> None:
    import polars

    from ui import tables

    names = {
        "from": ["web"] * 9,
        "to": ["ml", "CC-420", "ml", "yusuf.petrov@marlowfinch.example", *["ml"] * 5],
    }
    tables.show(
        polars.DataFrame(names), [("from", tables.text, "From"), ("to", tables.text, "To")], None, "t"
    )


def test_a_long_name_among_short_ones_is_read_whole() -> None:
    """A grid measures by itself what most rows need: an owner's address was cut among teams and cost centres."""
    app = AppTest.from_function(_table).run()
    assert not app.exception
    columns = json.loads(app.dataframe[0].proto.columns)
    assert columns["To"]["width"] >= 7 * len(ADDRESS)
