"""Figures in words and characters, the same on every page, in alerts and in documents. Exact values stay exact beside it."""

from datetime import date, timedelta
from decimal import ROUND_HALF_EVEN, Decimal

from finops_core.model.periods import Period, add_months

MINUS = "−"
DUST = Decimal("0.005")


def amount(value: Decimal | None) -> str:
    """A cost for reading: no decimals from 1,000 up, two below, `<0.01` for dust."""
    if value is None:
        return "unknown"
    if value != 0 and abs(value) < DUST:
        return "<0.01" if value > 0 else f">{MINUS}0.01"
    places = Decimal(1) if abs(value) >= Decimal("999.995") else Decimal("0.01")
    text = f"{abs(value).quantize(places, ROUND_HALF_EVEN):,}"
    return f"{MINUS}{text}" if value < 0 else text


def money(value: Decimal | None, currency: str) -> str:
    """A cost with its currency, always named."""
    return f"{amount(value)} {currency}"


def signed(value: Decimal) -> str:
    """A change of cost, with its sign."""
    text = amount(value)
    return f"+{text}" if value > 0 else text


def ratio(change: Decimal, base: Decimal) -> Decimal | None:
    """A change relative to its base; None where the base is nothing or nearly so (less than a cent, or a thousandth)."""
    if abs(base) < Decimal("0.01") or abs(change) > 1000 * abs(base):
        return None
    return change / abs(base)


def percent(share: Decimal | None, sign: bool = False) -> str:
    """A share of 1 as percent; `new` where there is no base to speak of. Nearly all is not called all."""
    if share is None:
        return "new"
    hundred = share * 100
    places = Decimal("0.1") if abs(hundred) < 10 or Decimal("99.5") <= abs(hundred) < 100 else Decimal(1)
    rounded = hundred.quantize(places, ROUND_HALF_EVEN)
    if abs(hundred) < 100 <= abs(rounded):
        rounded = Decimal("99.9").copy_sign(hundred)
    text = f"{abs(rounded):,} %"
    if rounded < 0:
        return MINUS + text
    return f"+{text}" if sign and rounded > 0 else text


def counted(count: int, one: str, many: str = "") -> str:
    """`1 month`, `12 months`; `many` where the plural is no `s`."""
    return f"{count:,} {one if count == 1 else many or f'{one}s'}"


def change(after: Decimal, before: Decimal) -> str:
    """A change as amount and percent."""
    difference = after - before
    if difference == 0:
        return "no change"
    return f"{signed(difference)} ({percent(ratio(difference, before), sign=True)})"


def period(found: Period) -> str:
    """`October 2026`, `May to October 2026`, `1 to 23 November 2026`, `3 May 2025 to 2 April 2026`."""
    last = found.end - timedelta(1)
    if found.start.day == 1 and found.end.day == 1:
        if add_months(found.start, 1) == found.end:
            return f"{found.start:%B %Y}"
        if found.start.year == last.year:
            return f"{found.start:%B} to {last:%B %Y}"
        return f"{found.start:%B %Y} to {last:%B %Y}"
    if found.days == 1:
        return day(found.start)
    if (found.start.year, found.start.month) == (last.year, last.month):
        return f"{found.start.day} to {day(last)}"
    if found.start.year == last.year:
        return f"{found.start.day} {found.start:%B} to {day(last)}"
    return f"{day(found.start)} to {day(last)}"


def day(found: date) -> str:
    return f"{found.day} {found:%B %Y}"


def moment(at: str) -> str:
    """A moment of the store (`2026-11-26T10:54:34Z`) in a sentence: `26 November 2026 at 10:54 UTC`."""
    return f"{day(date.fromisoformat(at[:10]))} at {at[11:16]} UTC"


def stamp(at: str) -> str:
    """The same in a table, where it is to sort: `2026-11-26 10:54 UTC`."""
    return f"{at[:10]} {at[11:16]} UTC"


def bucket(start: date, grain: str) -> str:
    """The name of a bucket of a grain: `Oct 2026`, `12 Oct`, `Q4 2026`."""
    if grain == "month":
        return f"{start:%b %Y}"
    if grain == "quarter":
        return f"Q{(start.month + 2) // 3} {start.year}"
    if grain == "year":
        return str(start.year)
    return f"{start.day} {start:%b}" if grain == "day" else f"week of {start.day} {start:%b}"
