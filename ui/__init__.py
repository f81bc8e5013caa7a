"""The page kit: a page asks it for the view in the URL, and for figures, charts and tables. `ui.kit` lists what there is."""
