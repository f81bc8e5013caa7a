"""Makes large FOCUS exports for the benchmarks: deterministic, and as harsh as large estates are.

Accounts, services, regions and tags are drawn independently of each other for each of 50,000 resources, and which resource a
charge is for is skewed as sizes in an estate are; so hardly any two charges of a day agree in all dimensions, and a cube over
all of them would be nearly as long as the charges themselves.
"""

from pathlib import Path

import duckdb

ACCOUNTS, SERVICES, REGIONS, TEAMS, RESOURCES = 40, 60, 15, 25, 50_000
APPLICATIONS, PEOPLE, COST_CENTERS, SKUS_OF_A_SERVICE = 150, 400, 30, 6
MONTHS = 7
"""From 2026-01 on."""

_CATEGORIES = ("Compute", "Storage", "Databases", "Networking", "Analytics", "Security", "Management and Governance",
               "AI and Machine Learning", "Integration", "Developer Tools", "Web", "Other")  # fmt: skip


def _uniform(seed: str, draw: int) -> str:
    """SQL: a number in [0, 1) that depends on the seed and on which draw it is, and on nothing else."""
    return f"((hash({seed} * 64 + {draw}) >> 12) / 4503599627370496.0)"


def _even(seed: str, draw: int, size: int) -> str:
    """SQL: one of 0 … size-1, each as likely as the others."""
    return f"CAST(floor({_uniform(seed, draw)} * {size}) AS INTEGER)"


def _skewed(seed: str, draw: int, size: int) -> str:
    """SQL: one of 0 … size-1, after Zipf: number n about 1/n as often as the first."""
    return f"CAST(floor(pow({size + 1}, {_uniform(seed, draw)})) AS INTEGER) - 1"


def _resources() -> str:
    """SQL: the resources; a tenth has no tags, and not all that have tags have all."""
    categories = ", ".join(f"'{name}'" for name in _CATEGORIES)
    return f"""
        SELECT r AS resource, account, service, region, [{categories}][1 + service % {len(_CATEGORIES)}] AS category,
               CASE WHEN {_uniform("r", 5)} >= 0.1 THEN '{{"team":"team-' || {_skewed("r", 6, TEAMS)}
                   || '","env":"' || ['prod', 'prod', 'staging', 'dev', 'test', 'Production'][1 + {_even("r", 7, 6)}]
                   || '","app":"app-' || {_skewed("r", 8, APPLICATIONS)} || '","owner":"person-' || {_even("r", 9, PEOPLE)} || '"'
                   || CASE WHEN {_uniform("r", 10)} < 0.8 THEN ',"cost-center":"CC-' || {_even("r", 11, COST_CENTERS)} || '"' ELSE '' END
                   || '}}' END AS tags
        FROM (SELECT r, {_skewed("r", 1, ACCOUNTS)} AS account, {_skewed("r", 2, SERVICES)} AS service,
                     {_skewed("r", 3, REGIONS)} AS region FROM range({RESOURCES}) t(r))"""


def _charges(rows: int) -> str:
    """SQL: which resource each charge is for, when, of which kind, and its money before what is special about the kind."""
    kind = _uniform("i", 20)
    return f"""
        SELECT i, r.*, {_even("i", 21, SKUS_OF_A_SERVICE)} AS sku, {_even("i", 22, 3)} AS plan, {_uniform("i", 23)} AS covered,
               CASE WHEN {kind} < 0.96 THEN 'Usage' WHEN {kind} < 0.975 THEN 'Credit' WHEN {kind} < 0.99 THEN 'Tax'
                    WHEN {kind} < 0.995 THEN 'Purchase' ELSE 'Adjustment' END AS kind,
               CAST(pow(10, {_uniform("i", 24)} * 6 - 4) AS DECIMAL(38, 10)) AS cost,
               {_uniform("i", 25)} * 24 AS quantity,
               month, month + to_hours(CAST(floor({_uniform("i", 26)} * date_diff('hour', month, month + INTERVAL 1 MONTH)) AS INTEGER)) AS hour
        FROM (SELECT i, {_skewed("i", 27, RESOURCES)} AS resource,
                     TIMESTAMP '2026-01-01' + to_months(CAST(i * {MONTHS} // {rows} AS INTEGER)) AS month FROM range({rows}) t(i))
        JOIN resources r USING (resource)"""


def write_focus_parquet(path: Path, rows: int) -> Path:
    """Hourly FOCUS 1.2 rows over seven months: usage, a third of its compute under commitments, credits, taxes, purchases."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone='UTC'; SET preserve_insertion_order=false; SET memory_limit='2GB'")
        connection.execute(f"CREATE TEMP TABLE resources AS {_resources()}")
        connection.execute(
            f"""COPY (
            WITH kinds AS ({_charges(rows)}),
            base AS (
                SELECT *, kind IN ('Usage', 'Credit', 'Adjustment') AS placed,
                       kind = 'Usage' AND category = 'Compute' AND covered < 0.35 AS committed,
                       CASE kind WHEN 'Credit' THEN -cost ELSE cost END AS amount
                FROM kinds)
            SELECT
                CASE WHEN placed THEN 'zone-' || region || 'abc'[1 + sku % 3] END AS AvailabilityZone,
                CASE WHEN committed THEN 0 ELSE amount END AS BilledCost,
                CASE WHEN kind = 'Purchase' THEN 0 WHEN committed THEN CAST(amount * 0.6 AS DECIMAL(38, 12)) ELSE amount END AS EffectiveCost,
                CASE WHEN kind = 'Usage' THEN CAST(amount * 1.25 AS DECIMAL(38, 12)) ELSE amount END AS ListCost,
                amount AS ContractedCost,
                '012345678901' AS BillingAccountId, 'Payer' AS BillingAccountName, 'USD' AS BillingCurrency,
                month AT TIME ZONE 'UTC' AS BillingPeriodStart, (month + INTERVAL 1 MONTH) AT TIME ZONE 'UTC' AS BillingPeriodEnd,
                kind AS ChargeCategory, CASE kind WHEN 'Adjustment' THEN 'Correction' END AS ChargeClass,
                CASE kind WHEN 'Usage' THEN 'USD per unit of meter ' || sku || ' of service ' || service || ' in region ' || region
                          ELSE kind || ' for service ' || service END AS ChargeDescription,
                CASE kind WHEN 'Usage' THEN 'Usage-Based' WHEN 'Purchase' THEN 'Recurring' ELSE 'One-Time' END AS ChargeFrequency,
                hour AT TIME ZONE 'UTC' AS ChargePeriodStart, (hour + INTERVAL 1 HOUR) AT TIME ZONE 'UTC' AS ChargePeriodEnd,
                CASE WHEN committed OR kind = 'Purchase' THEN 'arn:plan/' || account || '-' || plan END AS CommitmentDiscountId,
                CASE WHEN committed OR kind = 'Purchase' THEN 'Spend' END AS CommitmentDiscountCategory,
                CASE WHEN committed OR kind = 'Purchase' THEN ['Compute plan', 'Instance plan', 'Reserved'][1 + plan] END AS CommitmentDiscountType,
                CASE WHEN committed THEN 'Used' END AS CommitmentDiscountStatus,
                CASE kind WHEN 'Usage' THEN quantity END AS ConsumedQuantity, CASE kind WHEN 'Usage' THEN 'Hours' END AS ConsumedUnit,
                'INV-' || strftime(month, '%Y%m') AS InvoiceId, 'Amazon Web Services, Inc.' AS InvoiceIssuerName,
                CASE WHEN kind <> 'Usage' THEN NULL WHEN committed THEN 'Committed' WHEN covered > 0.95 THEN 'Dynamic' ELSE 'Standard' END AS PricingCategory,
                CASE kind WHEN 'Usage' THEN quantity END AS PricingQuantity, CASE kind WHEN 'Usage' THEN 'Hours' END AS PricingUnit,
                CAST(1.25 AS DECIMAL(38, 12)) AS ListUnitPrice, CAST(1 AS DECIMAL(38, 12)) AS ContractedUnitPrice,
                'AWS' AS ProviderName,
                CASE WHEN service % 20 = 19 THEN 'Seller ' || service ELSE 'Amazon Web Services, Inc.' END AS PublisherName,
                CASE WHEN placed THEN 'region-' || region END AS RegionId, CASE WHEN placed THEN 'Region ' || region END AS RegionName,
                CASE WHEN placed AND covered < 0.97 THEN 'arn:aws:service' || service || ':region-' || region || ':resource/' || resource END AS ResourceId,
                CASE WHEN placed AND covered < 0.97 THEN 'resource ' || resource END AS ResourceName,
                CASE WHEN placed AND covered < 0.97 THEN 'Type ' || service END AS ResourceType,
                category AS ServiceCategory, 'Service ' || service AS ServiceName,
                'SKU-' || service || '-' || sku AS SkuId, 'SKU-' || service || '-' || sku || '-' || region AS SkuPriceId,
                'account-' || account AS SubAccountId, 'Account ' || account AS SubAccountName,
                CASE WHEN placed AND covered < 0.97 THEN tags END AS Tags,
                'Meter ' || service || '-' || sku AS x_UsageType
            FROM base) TO '{path}' (FORMAT parquet, ROW_GROUP_SIZE 122880)"""
        )
    return path
