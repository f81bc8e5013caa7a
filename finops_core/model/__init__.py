"""The semantic layer: dimensions and metrics as data, the Query, and the engine that answers it."""
