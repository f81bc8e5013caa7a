"""What could be saved, who does it, and what was really saved: found, worked on, measured and signed."""

from ui import savings, savings_work

page = savings.begin("Savings")
page.figures()
page.charts()
page.found()
page.backlog()
savings_work.draw(page)
page.files()
