"""A demo company, Marlow & Finch: an online retailer, its exports written in the clouds' own formats."""
