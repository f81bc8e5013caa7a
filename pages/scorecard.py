"""How good are we at this: every indicator of the practice with its target, its course and its owner; and the pack of the month."""

from ui import packing, scorecard

page = scorecard.begin("Scorecard")
page.bar()
page.cards()
page.table()
packing.offer(page.month)
page.targets()
