"""Numbers inside sentences: a power is never read as another number."""

import pytest

from mes.web.templatetags.ui import figures, limit_figures, unit_filter


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


@pytest.mark.parametrize(
    ("text", "drawn"),
    [
        ("> 500000 cells/kg", "&gt; 5 ×10<sup>5</sup> cells/kg"), ("plausible 1e6 to 1e12 cells", "plausible 1 ×10<sup>6</sup> to 1 ×10<sup>12</sup> cells"),
        ("12345678 cells", "12\u202f345\u202f678 cells"), ("≥ 70 %", "≥ 70 %"), ("low: 1e5 cells/kg", "low: 1 ×10<sup>5</sup> cells/kg"),
    ],
)  # fmt: skip
def test_a_number_of_many_digits_in_a_limit_is_read_without_counting_them(text, drawn):
    assert limit_figures(text) == drawn


def test_the_end_of_a_number_is_no_power_of_its_own():
    assert unit_filter("1.1e8 CAR+ cells") == "1.1e8 CAR+ cells"
    assert unit_filter("1e6/mL") == "×10<sup>6</sup>/mL"
