"""What was written, in whole units: the truth that queries are held against."""

from dataclasses import dataclass, field


@dataclass
class MonthTotals:
    """One month of one source. `teams` are the real owners; '' is what belongs to none (fees, idle commitment, tax)."""

    rows: int = 0
    """Charges that a correct reader stores."""
    billed: int = 0
    effective: int = 0
    teams: dict[str, int] = field(default_factory=dict)
    incidents: dict[str, int] = field(default_factory=dict)
    """What each incident added, by its key."""

    def add_team(self, team: str, amount: int) -> None:
        self.teams[team] = self.teams.get(team, 0) + amount
