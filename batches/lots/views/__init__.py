"""Pages on lots: list, order, overview, starting material, holds and ends."""
