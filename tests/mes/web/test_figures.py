"""Numbers inside sentences: a power is never read as another number."""

import pytest

from mes.web.templatetags.ui import figures, unit_filter


@pytest.mark.parametrize(
    ("text", "drawn"),
    [
        ("1.1e8 CAR+ cells", "1.1 ×10<sup>8</sup> CAR+ cells"),
        ("Total changed, 2e6 cells to 2.1E+6 cells.", "Total changed, 2 ×10<sup>6</sup> cells to 2.1 ×10<sup>6</sup> cells."),
        ("above 3e-5", "above 3 ×10<sup>−5</sup>"),
        ("cells at 10^6/mL", "cells at 10<sup>6</sup>/mL"),
        ("DEV-1e5 and CN-1e5-K", "DEV-1e5 and CN-1e5-K"),
        ("SHA-256 fd58e8ab", "SHA-256 fd58e8ab"),
        ("<b> & 70 %", "&lt;b&gt; &amp; 70 %"),
    ],
)
def test_a_number_in_a_sentence_keeps_its_value(text, drawn):
    assert figures(text) == drawn


def test_the_end_of_a_number_is_no_power_of_its_own():
    assert unit_filter("1.1e8 CAR+ cells") == "1.1e8 CAR+ cells"
    assert unit_filter("1e6/mL") == "×10<sup>6</sup>/mL"
