"""In proportion to direct cost: `{direct: all}` or `{direct: [search, web, "pool:support"], per: month}`.

Only positive direct cost counts. By default that of the calendar month, since fees and taxes of a month stand on one day of it.
"""

from finops_core.allocation import methods

KEY = "direct"


class Method(methods.Method):
    direct: methods.Consumers
    per: methods.Per = "month"

    def shares(self, facts: methods.Facts) -> methods.Shares | None:
        costs = facts.direct(self.per)
        chosen = [n for n in costs if not n.startswith(methods.POOL)] if self.direct == "all" else self.direct
        return methods.proportional({name: costs[name] for name in chosen if name in costs})

    def names(self) -> tuple[str, ...]:
        return () if self.direct == "all" else tuple(self.direct)

    def in_words(self) -> str:
        whom = "" if self.direct == "all" else f" of {', '.join(self.direct)}"
        return f"by the direct cost{whom} of the {self.per}"
