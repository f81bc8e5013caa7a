"""The same share for everyone: `{even: [search, web]}`, or `{even: all}` for all with direct cost in the month."""

from fractions import Fraction

from finops_core.allocation import methods

KEY = "even"


class Method(methods.Method):
    even: methods.Consumers

    def shares(self, facts: methods.Facts) -> methods.Shares | None:
        names = facts.consumers() if self.even == "all" else self.even
        return {name: Fraction(1, len(names)) for name in names} or None

    def names(self) -> tuple[str, ...]:
        return () if self.even == "all" else tuple(self.even)

    def in_words(self) -> str:
        return f"evenly over {'all' if self.even == 'all' else ', '.join(self.even)}"
