"""The text form of recipes: read, checked, planned, compared and written back."""
