"""Who owns a charge, and how shared costs are split: rules as data, and their SQL. Pure: no store is opened here."""
