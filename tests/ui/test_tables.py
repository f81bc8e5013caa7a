"""Tables: a column has room for what the grid would leave out when it measures."""

from ui.tables import _grows


def test_a_column_has_room_for_a_value_far_wider_than_the_others() -> None:
    assert _grows(["open", "explained (waste)", *["open"] * 7])
    assert _grows([*["open"] * 9, "acknowledged"])
    assert not _grows(["runaway", "slow leak", "level shift", "runaway"])
    assert not _grows([]) and not _grows(["open"])
