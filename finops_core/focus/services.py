"""The families of services that are the same across providers."""

from finops_core.focus.columns import FOCUS_COLUMNS

SERVICE_CATEGORIES: tuple[str, ...] = FOCUS_COLUMNS["ServiceCategory"].allowed_values
"""The allowed values of ServiceCategory."""

OTHER_CATEGORY = "Other"
"""The category of a service that nothing is known of."""
