"""What is loaded."""

from ui import answers, books, kit

kit.heading("Sources & upload", lambda: books.summary(answers.reconciled()))
books.sources_table(answers.source_periods())
