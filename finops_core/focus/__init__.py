"""The FinOps Open Cost and Usage Specification as data: its columns, its service categories, a stored charge."""

from finops_core.focus.columns import FOCUS_COLUMNS, FOCUS_VERSIONS, FocusColumn, columns_of
from finops_core.focus.services import OTHER_CATEGORY, SERVICE_CATEGORIES

__all__ = [
    "FOCUS_COLUMNS",
    "FOCUS_VERSIONS",
    "OTHER_CATEGORY",
    "SERVICE_CATEGORIES",
    "FocusColumn",
    "columns_of",
]
