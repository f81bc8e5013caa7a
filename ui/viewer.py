"""Who is looking."""

import streamlit as st


def viewer() -> str:
    """Who is looking, as a proxy in front of the app says it."""
    headers = st.context.headers
    return headers.get("X-Forwarded-User") or headers.get("X-Forwarded-Email") or "unnamed"
