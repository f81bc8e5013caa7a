"""A question in, a table out: what pages show beyond the plain answer of a Query."""
