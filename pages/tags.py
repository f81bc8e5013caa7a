"""Who tags what: how much of the cost that can carry the required tags does, what is missing, and what to do about it."""

from ui import bar, kit, tags

page = kit.page(
    "Tag coverage",
    group="SubAccountId",
    period="3-months",
    grain="week",
    parts=bar.Parts(group=False, display=False, shared=False),
)
shown = tags.Tags(page)
shown.answer()
shown.figures()
shown.choice()
shown.charts()
shown.table()
shown.values()
shown.apart()
shown.exceptions()
shown.exports()
