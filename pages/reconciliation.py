"""Is this number right: every source and month, from the source's own total to what is stored."""

from ui import answers, books, kit

kit.heading("Reconciliation", lambda: books.summary(answers.reconciled()))
lines = answers.reconciled()
books.reconciliation_figures(lines)
books.reconciliation_table(lines)
books.warnings_of(lines)
books.invoice_form(lines)
