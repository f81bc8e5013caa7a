"""Mappings saved into the home: only what is in order, and never over another one unasked."""

from pathlib import Path

import pytest

from finops_core.errors import InputRefused, UsageError
from finops_core.store.home import Home
from finops_core.store.load import known_formats
from finops_core.store.mappings import save_mapping
from tests.mapped import ACME


def names(home: Home) -> list[str]:
    return [file.name for file in sorted(home.mappings.iterdir())]


def test_a_saved_mapping_is_a_format(home: Home) -> None:
    file = save_mapping(home, ACME)
    assert file == home.mappings / "acme.yaml" and file.read_text() == ACME
    assert known_formats(home)[0].name == "custom:acme" and names(home) == ["acme.yaml"]


def test_what_is_no_mapping_is_not_saved(home: Home) -> None:
    with pytest.raises(InputRefused, match="the mapping: cost: is missing"):
        save_mapping(home, ACME.replace("cost: Amount", ""))
    assert not home.mappings.exists()


def test_another_mapping_of_the_name_stays_unless_it_is_to_be_replaced(home: Home) -> None:
    save_mapping(home, ACME)
    save_mapping(home, ACME)
    other = ACME.replace("Acme Search", "Acme, Inc.")
    with pytest.raises(UsageError, match="already another mapping 'acme'"):
        save_mapping(home, other)
    assert (home.mappings / "acme.yaml").read_text() == ACME
    assert save_mapping(home, other, replace=True).read_text() == other
    assert names(home) == ["acme.yaml"]


def test_a_mapping_is_replaced_where_it_is_kept(home: Home) -> None:
    home.mappings.mkdir(parents=True)
    kept = home.mappings / "search bills.yml"
    kept.write_text(ACME)
    other = ACME.replace("Acme Search", "Acme, Inc.")
    assert save_mapping(home, other, replace=True) == kept
    assert names(home) == ["search bills.yml"]


@pytest.mark.parametrize(("held", "words"), [(ACME.replace("acme", "other"), "'other'"), ("{", "no mapping")])
def test_a_file_that_holds_something_else_is_never_overwritten(home: Home, held: str, words: str) -> None:
    home.mappings.mkdir(parents=True)
    (home.mappings / "acme.yaml").write_text(held)
    with pytest.raises(UsageError, match=words):
        save_mapping(home, ACME, replace=True)
    assert (home.mappings / "acme.yaml").read_text() == held


def test_a_file_that_appears_meanwhile_is_not_overwritten(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    from finops_core.store import mappings

    def save_first(path: Path) -> None:
        (home.mappings / "acme.yaml").write_text("somebody else's")

    monkeypatch.setattr(mappings, "sync", save_first)
    with pytest.raises(UsageError, match="saved by somebody else"):
        save_mapping(home, ACME)
    assert (home.mappings / "acme.yaml").read_text() == "somebody else's" and names(home) == ["acme.yaml"]
