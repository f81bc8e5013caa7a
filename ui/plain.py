"""Text from exports and errors, made safe for labels that Streamlit reads as Markdown."""

import re

_MARKS = re.compile(r"([\\`*_{}\[\]<>()#+\-.!|~$:])")


def plain(text: str) -> str:
    """The text with everything that Markdown would read as a mark escaped."""
    return _MARKS.sub(r"\\\1", text)
