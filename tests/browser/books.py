"""The books that the browser tests look at: two sources, two currencies, three months."""

from pathlib import Path

from tests.exports import focus_row, write_focus

SERVICES = ("Amazon EC2", "Amazon RDS", "Amazon S3", "AWS Lambda")
REGIONS = ("eu-west-1", "us-east-1")


def _rows(currency: str, provider: str) -> list[dict[str, str]]:
    rows = []
    for month in (7, 8, 9):
        for day in range(1, 29):
            for number, service in enumerate(SERVICES):
                cost = f"{(number + 1) * (day % 7 + 1) * month * 3}.{day:02}{number}0000001"
                rows.append(
                    focus_row(
                        BilledCost=cost,
                        EffectiveCost=cost,
                        BillingCurrency=currency,
                        BillingPeriodStart=f"2026-{month:02}-01T00:00:00Z",
                        BillingPeriodEnd=f"2026-{month + 1:02}-01T00:00:00Z",
                        ChargePeriodStart=f"2026-{month:02}-{day:02}T00:00:00Z",
                        ChargePeriodEnd=f"2026-{month:02}-{day + 1:02}T00:00:00Z",
                        ServiceName=service,
                        RegionId=REGIONS[day % 2],
                        SubAccountId=f"{provider}-{number % 2}",
                        ProviderName=provider,
                        Tags='{"team": "search"}' if number % 2 else '{"team": "<b>shop</b>"}',
                    )
                )
    return rows


def write_books(directory: Path) -> dict[str, Path]:
    """Source → export file."""
    return {
        "main": write_focus(directory / "main.csv", _rows("USD", "AWS")),
        "europe": write_focus(directory / "europe.csv", _rows("EUR", "Microsoft")),
    }
