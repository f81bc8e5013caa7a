"""Farthing: page configuration, navigation, and who is looking; nothing else."""

import streamlit as st

from ui import frame
from ui.frame import view

PAGES = {
    "Spend": [
        view("overview", "Overview", "dashboard", default=True),
        view("explorer", "Explorer", "query_stats"),
        view("movers", "Top movers", "swap_vert"),
        view("anomalies", "Anomalies", "notifications_active"),
        view("views", "Saved views", "bookmarks"),
    ],
    "Plan": [
        view("forecast", "Forecast", "trending_up"),
        view("commitments", "Commitments", "handshake"),
        view("budgets", "Budgets", "savings"),
        view("units", "Unit cost", "straighten"),
        view("savings", "Savings", "price_check"),
        view("scorecard", "Scorecard", "scoreboard"),
        view("alerts", "Alerts", "campaign"),
    ],
    "Ownership": [
        view("allocation", "Allocation", "account_tree"),
        view("rules", "Rules", "rule"),
        view("statements", "Showback statements", "receipt_long"),
        view("kubernetes", "Kubernetes", "grid_view"),
        view("tags", "Tag coverage", "sell"),
    ],
    "Data": [
        view("sources", "Sources & upload", "upload_file"),
        view("reconciliation", "Reconciliation", "fact_check"),
        view("glossary", "Glossary", "menu_book"),
    ],
}

st.set_page_config(page_title="Farthing", page_icon=":material/savings:", layout="wide")
frame.run(st.navigation(PAGES, position="hidden"), PAGES)
