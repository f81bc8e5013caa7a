"""What is loaded, and how to load more."""

from ui import answers, books, currencies, kit, upload

if not answers.ledger().is_empty():
    kit.heading("Sources & upload", lambda: books.summary(answers.reconciled()))
else:
    kit.bare_heading(
        "Sources & upload",
        "Nothing is loaded yet: drop an export below, or make the demo company with `farthing demo`.",
    )
upload.draw()
if not answers.ledger().is_empty():
    books.sources_table(answers.source_periods())
currencies.rates_form()
books.column_origins(answers.formats())
