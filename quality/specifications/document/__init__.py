"""The text form of specifications: read, checked, compared and written back with the machinery of recipes."""
