"""What a mapping may say: whatever is wrong is refused with file and field."""

import pytest

from finops_core.errors import InputRefused
from finops_core.formats.custom import load_mappings, parse_mapping
from finops_core.store.home import Home
from finops_core.store.load import known_formats
from tests.mapped import ACME


@pytest.mark.parametrize(
    ("change", "to", "words"),
    [
        ("cost: Amount\n", "", "cost: is missing"),
        ("cost: Amount", "cost: ''", "cost: must not be empty"),
        ("cost: Amount", "cost: [Amount]", "cost: must be text"),
        ("cost: Amount", "cost: A|B", "cost: .*holds | cannot be mapped"),
        ("cost: Amount", "cost: Amount\nprice: x", "price: is no field of a mapping"),
        ("name: acme", "name: Acme Search", "name: may only hold small letters"),
        ("match: [Day, Amount, Plan]", "match: []", "match: must not be empty"),
        ("currency: Currency", "currency: {}", "currency: needs either a column or a `value`"),
        ("currency: Currency", "currency: {column: C, value: USD}", "currency: needs either"),
        ("currency: Currency", "currency: {column: C, map: {a: USD, ' A': EUR}}", "names a value twice"),
        ("date: Day", "date: {column: Day, format: dd.mm.jjjj}", "date.format: .*neither iso, us or eu"),
        ("date: Day", "date: {column: Day, format: '%Q'}", "date.format: .*%Q"),
        ("date: Day", "date: {column: Day, format: MM-DD}", "date.format: .*lacks the year or the month"),
        ("date: Day", "date: Day\ndate_end: {column: E, inclusive: perhaps}", "date_end.inclusive"),
        ("date: Day", "date: Day\ndecimal: ';'", "decimal: "),
        ("date: Day", "date: Day\ncolumns: {SeviceName: Plan}", "SeviceName is no FOCUS column; ServiceName"),
        ("date: Day", "date: Day\ncolumns: {BilledCost: Plan}", "BilledCost is set by `cost`"),
        ("date: Day", "date: Day\ncolumns: {SkuPriceDetails: Plan}", "holds JSON and cannot be mapped"),
        ("date: Day", "date: Day\ncolumns: {ListCost: {value: ten}}", "columns.ListCost: 'ten' is not a num"),
        ("date: Day", "date: Day\ncategory: {value: Subscription}", "category: 'Subscription' is none of"),
        ("date: Day", "date: Day\ncost: Twice", "row 8: no YAML: the key 'cost' stands twice"),
        ("date: Day", "date: [Day", "no YAML"),
    ],
)
def test_a_wrong_mapping_is_refused_with_file_and_field(change: str, to: str, words: str) -> None:
    with pytest.raises(InputRefused, match=words) as refused:
        parse_mapping(ACME.replace(change, to), "mappings/acme.yaml")
    assert str(refused.value).startswith("mappings/acme.yaml")


@pytest.mark.parametrize("text", ["", "just words", "- a\n- b", "\x00", "!!python/object:os.system {}"])
def test_what_is_no_mapping_is_refused(text: str) -> None:
    with pytest.raises(InputRefused, match=r"^acme\.yaml"):
        parse_mapping(text, "acme.yaml")


def test_words_of_yaml_stay_words() -> None:
    mapping = parse_mapping(ACME + "category: {column: NO, map: {on: Usage, 1: Tax}}\n", "acme.yaml")
    assert mapping.category.column == "NO" and dict(mapping.category.map) == {"on": "Usage", "1": "Tax"}


def test_mappings_of_a_home(home: Home) -> None:
    assert load_mappings(home.mappings) == ()
    home.mappings.mkdir(parents=True)
    (home.mappings / "one.yaml").write_text(ACME)
    (home.mappings / "two.yml").write_text(
        ACME.replace("acme", "wide").replace("Plan]", "Plan, Currency, Seat]")
    )
    (home.mappings / "notes.txt").write_text("no mapping")
    names = [f.name for f in known_formats(home)]
    assert names[:2] == ["custom:wide", "custom:acme"], "the mapping that asks for more columns comes first"
    (home.mappings / "zwei.yaml").write_text(ACME)
    with pytest.raises(InputRefused, match=r"zwei\.yaml: name: 'acme' is also the name of .*one\.yaml"):
        load_mappings(home.mappings)
