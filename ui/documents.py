"""Documents as downloads, in every form that they have: made when they are asked for."""

from collections.abc import Callable
from functools import partial

import streamlit as st

_FORMS = {
    "pdf": ("PDF", "application/pdf", "picture_as_pdf"),
    "xlsx": ("Workbook", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "table"),
    "md": ("Markdown", "text/markdown", "article"),
}


def buttons(key: str, name: str, made: Callable[[str], bytes]) -> None:
    """A button a form (pdf, xlsx, md); `made` is asked for the form that is wanted."""
    for form, (label, mime, icon) in _FORMS.items():
        st.download_button(
            label,
            data=partial(made, form),
            file_name=f"{name}.{form}",
            mime=mime,
            icon=f":material/{icon}:",
            key=f"{key}-{form}",
            on_click="ignore",
        )
