"""Agreed shares, which sum to exactly 1: `{fixed: {search: 0.5, web: 0.3, "pool:data-platform": 0.2}}`. `1/3` and `25 %` can be written."""

import re
from collections.abc import Callable
from fractions import Fraction
from typing import Annotated, Any

from pydantic import BeforeValidator, ValidationInfo, model_validator

from finops_core.allocation import methods
from finops_core.allocation.kinds import is_applied

KEY = "fixed"
_NUMBER = re.compile(r"[+-]?([0-9]{1,40}\.?[0-9]{0,40}|\.[0-9]{1,40})")
"""A number as people write it: an exponent could make one that no memory holds."""


def _share(written: Any, number: Callable[[str], Fraction]) -> Fraction:
    """A share as it is written. Raises ValueError for what is none."""
    text = str(written).strip()
    try:
        share = number(text[:-1]) / 100 if text.endswith("%") else _ratio(text, number)
    except (ValueError, ZeroDivisionError):
        raise ValueError(f"{text[:40]!r} is no share: write 0.25, 25 % or 1/4") from None
    if share < 0:
        raise ValueError(f"the share {text} is negative")
    return share


def _ratio(text: str, number: Callable[[str], Fraction]) -> Fraction:
    part, is_written, whole = text.partition("/")
    return number(part) / number(whole) if is_written else number(part)


def _number(text: str) -> Fraction:
    if not _NUMBER.fullmatch(text.strip()):
        raise ValueError(text)
    return Fraction(text.strip())


def _shares(written: Any, info: ValidationInfo) -> Any:
    if not isinstance(written, dict) or not written:
        raise ValueError("is a mapping of consumers to shares")
    number = Fraction if is_applied(info) else _number  # exponents were taken once
    return tuple(
        (methods.consumer_name(str(name), info), _share(share, number)) for name, share in written.items()
    )


class Method(methods.Method):
    fixed: Annotated[tuple[tuple[str, Any], ...], BeforeValidator(_shares)]

    @model_validator(mode="after")
    def _whole(self) -> "Method":
        total = sum((share for _, share in self.fixed), Fraction(0))
        if total != 1:
            raise ValueError(f"the shares sum to {_text(total)}, not to 1")
        return self

    def shares(self, facts: methods.Facts) -> methods.Shares | None:
        return {name: share for name, share in self.fixed if share}

    def names(self) -> tuple[str, ...]:
        return tuple(name for name, share in self.fixed if share)

    def in_words(self) -> str:
        return "fixed: " + ", ".join(f"{name} {float(share):.4g}" for name, share in self.fixed)


def _text(share: Fraction) -> str:
    return f"{float(share):.12g}" if share.denominator not in (1,) else str(share)
