"""A formula as a person reads it: names of parameters, and functions and texts as they are written."""

import pytest

from batches.recipes.expressions import in_names

NAMES = {"viable": "Viable cells", "total": "Total cells", "viability_pct": "Viability", "route": "Route"}


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("viable / total * 100", "“Viable cells” / “Total cells” × 100"),
        ("round(viability_pct, 1)", "round(“Viability”, 1)"),
        ("viable / total * 100 = 80 / 100 * 100 = 80", "“Viable cells” / “Total cells” × 100 = 80 / 100 × 100 = 80"),
        ("route == 'total'", "“Route” == 'total'"),
        ("total(viable)", "total(“Viable cells”)"),
        ("viable_other + 1", "viable_other + 1"),
        ("", ""),
    ],
)
def test_keys_of_a_formula_are_read_as_names(written, read):
    assert in_names(written, NAMES) == read
