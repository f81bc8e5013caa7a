"""The page kit: filters, figures, charts, tables and states, shared by all pages."""
