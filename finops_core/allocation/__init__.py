"""Who owns a charge, and how shared cost is split: rules, pools, and what pools are split by."""
