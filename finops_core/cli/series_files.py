"""Files of daily series, as `detect` and `forecast-series` read them: series_id, date, cost."""

from pathlib import Path

import polars

from finops_core.errors import InputRefused, Place, UsageError

COLUMNS = ("series_id", "date", "cost")
_DAY = r"^\d{4}-\d{2}-\d{2}([T ]00:00(:00(\.0+)?)?(Z|\+00:00)?)?$"
"""A day, or its midnight."""
_FIRST_YEAR, _LAST_YEAR = 1970, 2999
_MOST = 1e20
"""What the store holds of a cost; sums and squares of what is below can be reckoned with."""
_NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"


def read_series(path: Path) -> polars.DataFrame:
    """series_id (str), date (Date), cost (float; null where the field is empty), in the order of the file.

    Columns may stand in any order, and others are left alone. Raises UsageError where there is no such file, InputRefused with
    file, row and column for what is no table, a missing column, a date that is not YYYY-MM-DD or of no year that has costs, a cost that
    is no finite number or larger than any, an empty series_id, and a day that a series has twice.
    """
    found = _as_text(path)
    for column in COLUMNS:
        if column not in found.columns:
            raise InputRefused(
                f"there is no column {column!r}: a file of series has {', '.join(COLUMNS)}",
                Place(str(path), row=1),
            )
    found = found.select(polars.col(COLUMNS).fill_null("").str.strip_chars()).with_row_index("row", offset=2)
    date = polars.when(polars.col("date").str.contains(_DAY)).then(
        polars.col("date").str.head(10).str.to_date("%Y-%m-%d", strict=False)
    )
    number = polars.when(polars.col("cost").str.contains(_NUMBER)).then(
        polars.col("cost").cast(polars.Float64, strict=False)
    )
    read = found.with_columns(date.alias("day"), number.alias("number"))
    _refuse(path, read, polars.col("series_id") == "", "series_id", "is empty")
    _refuse(path, read, polars.col("day").is_null(), "date", "is no date: write 2026-09-01")
    told = polars.col("cost") != ""
    far = (polars.col("day").dt.year() < _FIRST_YEAR) | (polars.col("day").dt.year() > _LAST_YEAR)
    _refuse(path, read, far, "date", f"is no day of {_FIRST_YEAR} to {_LAST_YEAR}: is the year right?")
    finite = polars.col("number").is_finite().fill_null(False)
    _refuse(
        path, read, told & ~finite, "cost", "is no number: write 1234.56, or nothing where it is not known"
    )
    _refuse(
        path, read, polars.col("number").abs() >= _MOST, "cost", f"is more than any cost: below {_MOST:.0e}"
    )
    _refuse(
        path,
        read,
        ~polars.struct("series_id", "day").is_first_distinct(),
        "date",
        "is there twice for its series",
        "Sum the rows of a day; costs of several currencies are series of their own",
    )
    return read.select("series_id", polars.col("day").alias("date"), polars.col("number").alias("cost"))


def _as_text(path: Path) -> polars.DataFrame:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    try:
        text = data.decode("utf-8-sig")
        return polars.read_csv(text.encode(), infer_schema=False)
    except UnicodeDecodeError as error:
        raise InputRefused("this is no text in UTF-8", Place(str(path))) from error
    except polars.exceptions.NoDataError as error:
        raise InputRefused(
            f"the file is empty: a file of series has a first row {','.join(COLUMNS)}", Place(str(path))
        ) from error
    except polars.exceptions.PolarsError as error:
        words = str(error).splitlines()[0]
        raise InputRefused(f"this is no CSV table ({words})", Place(str(path))) from error


def _refuse(
    path: Path, read: polars.DataFrame, wrong: polars.Expr, column: str, words: str, advice: str = ""
) -> None:
    bad = read.filter(wrong).head(1)
    if bad.height:
        row, value = bad["row"][0], bad[column][0]
        what = f"{value!r} {words}" if value else f"a {column} {words}"
        raise InputRefused(what, Place(str(path), row=row, column=column), advice)
