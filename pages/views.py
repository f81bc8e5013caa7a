"""Views that somebody kept: open one, pin it to the Overview, pass them on."""

from ui import answers, kit, saved

kit.heading("Saved views", lambda: saved.summary(answers.saved_views()))
saved.listing()
saved.exchange()
