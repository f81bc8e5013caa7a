"""Budgets: read from sheets, held against what came, told by what drove the difference."""

from finops_core.analysis.budgets.status import Account, BudgetStatus, account, budget_status

__all__ = ["Account", "BudgetStatus", "account", "budget_status"]
