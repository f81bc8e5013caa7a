"""Why did it change: the members that moved a cost most, and what moved each of them."""

from ui import bar, kit

page = kit.page(
    "Top movers",
    group="ServiceName",
    period="last-month",
    parts=bar.Parts(grain=False, display=False, shared=False),
    chart="members",
)
moves = page.moves()
if moves is not None:
    moves.answer()
    moves.figures()
    moves.choice()
    moves.chart()
    moves.sentences()
    moves.come_and_gone()
    moves.closer()
    moves.table()
    moves.as_code()
