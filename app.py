"""Farthing: page configuration, navigation, and who is looking; nothing else."""

import streamlit as st

from ui import frame

PAGES = {
    "Spend": [
        st.Page("pages/overview.py", title="Overview", icon=":material/dashboard:", default=True),
        st.Page("pages/explorer.py", title="Explorer", icon=":material/query_stats:", url_path="explorer"),
        st.Page("pages/movers.py", title="Top movers", icon=":material/swap_vert:", url_path="movers"),
    ],
    "Data": [
        st.Page(
            "pages/sources.py", title="Sources & upload", icon=":material/upload_file:", url_path="sources"
        ),
        st.Page(
            "pages/reconciliation.py",
            title="Reconciliation",
            icon=":material/fact_check:",
            url_path="reconciliation",
        ),
    ],
}

st.set_page_config(page_title="Farthing", page_icon=":material/savings:", layout="wide")
frame.run(st.navigation(PAGES, position="hidden"), PAGES)
