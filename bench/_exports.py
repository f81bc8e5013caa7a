"""Makes large FOCUS exports for the benchmarks: deterministic, as a cloud with many resources ships them."""

from pathlib import Path

import duckdb


def write_focus_parquet(path: Path, rows: int, months: int = 3) -> Path:
    """FOCUS rows by day and resource, spread over `months` months from 2026-01; 40 accounts, 30 services, 12 regions."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone='UTC'; SET preserve_insertion_order=false; SET memory_limit='2GB'")
        connection.execute(
            f"""COPY (
            WITH base AS (
                SELECT i, i % 40 AS account, (i * 7919) % 30 AS service, (i * 104729) % 12 AS region,
                       (i * 31) % 5000 AS resource, hash(i) % 1000003 AS noise,
                       TIMESTAMP '2026-01-01' + to_days(CAST(i * {months * 30} // {rows} AS INTEGER)) AS day
                FROM range({rows}) r(i))
            SELECT
                'us-east-1a' AS AvailabilityZone,
                CAST(noise AS DECIMAL(38,18)) / 1000000 AS BilledCost,
                CAST(noise AS DECIMAL(38,18)) / 1000000 AS EffectiveCost,
                CAST(noise AS DECIMAL(38,18)) / 800000 AS ListCost,
                CAST(noise AS DECIMAL(38,18)) / 900000 AS ContractedCost,
                '012345678901' AS BillingAccountId, 'Payer' AS BillingAccountName, 'USD' AS BillingCurrency,
                date_trunc('month', day) AT TIME ZONE 'UTC' AS BillingPeriodStart,
                (date_trunc('month', day) + INTERVAL 1 MONTH) AT TIME ZONE 'UTC' AS BillingPeriodEnd,
                'Usage' AS ChargeCategory, NULL::VARCHAR AS ChargeClass,
                'Usage of service ' || service || ' in region ' || region AS ChargeDescription,
                'Usage-Based' AS ChargeFrequency,
                day AT TIME ZONE 'UTC' AS ChargePeriodStart, (day + INTERVAL 1 DAY) AT TIME ZONE 'UTC' AS ChargePeriodEnd,
                CASE WHEN noise % 5 = 0 THEN 'arn:plan' || account END AS CommitmentDiscountId,
                CASE WHEN noise % 5 = 0 THEN 'Used' END AS CommitmentDiscountStatus,
                CAST(noise AS DOUBLE) / 1000 AS ConsumedQuantity, 'Hours' AS ConsumedUnit,
                'Amazon Web Services, Inc.' AS InvoiceIssuerName, 'Standard' AS PricingCategory,
                CAST(noise AS DOUBLE) / 1000 AS PricingQuantity, 'Hours' AS PricingUnit,
                CAST(1 AS DECIMAL(38,18)) AS ListUnitPrice, CAST(1 AS DECIMAL(38,18)) AS ContractedUnitPrice,
                'AWS' AS ProviderName, 'Amazon Web Services, Inc.' AS PublisherName,
                'region-' || region AS RegionId, 'Region ' || region AS RegionName,
                'arn:aws:service' || service || ':resource/' || resource AS ResourceId,
                'resource ' || resource AS ResourceName, 'Instance' AS ResourceType,
                'Compute' AS ServiceCategory, 'Service ' || service AS ServiceName,
                'SKU' || (service * 12 + region) AS SkuId, 'SKU' || (service * 12 + region) || '.price' AS SkuPriceId,
                'acc' || account AS SubAccountId, 'Account ' || account AS SubAccountName,
                '{{"team":"team' || (resource % 9) || '","env":"' || CASE resource % 3 WHEN 0 THEN 'prod' ELSE 'dev' END || '"}}' AS Tags
            FROM base) TO '{path}' (FORMAT parquet, ROW_GROUP_SIZE 122880)"""
        )
    return path
