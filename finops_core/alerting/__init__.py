"""Tell people before the bill does: rules look at the store, and what they find goes to channels, once."""
