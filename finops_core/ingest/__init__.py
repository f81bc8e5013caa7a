"""From paths to staged charges: discover the export sets, read them as text, check them. Nothing is stored here."""
