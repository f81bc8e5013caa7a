"""The allocation rules: in force and what each gives, edited with a preview, their versions, proposals, and the audit log."""

from ui import rules

page = rules.begin("Rules")
page.show()
