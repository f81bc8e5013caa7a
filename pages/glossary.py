"""What the words mean: every metric, dimension and term, from its own declaration."""

from ui import glossary, kit

kit.bare_heading("Glossary", "Every figure and dimension, as the product itself defines it.")
glossary.metrics()
glossary.dimensions()
glossary.periods()
