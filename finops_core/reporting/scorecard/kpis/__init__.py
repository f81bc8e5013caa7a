"""The indicators: a file each, or a few of one kind, found by their KPIS."""
