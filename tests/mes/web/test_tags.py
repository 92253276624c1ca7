"""The template tags: powers, times, icons; nothing a person typed becomes markup."""

from datetime import UTC, date, datetime

import pytest
from django.template import Context, Template

from mes.clock import typed_words

MOMENT = datetime(2026, 11, 19, 13, 36, 8, tzinfo=UTC)


def drawn(source: str, **context) -> str:
    return Template(source).render(Context({"site_zone": "Europe/Amsterdam"} | context))


@pytest.mark.parametrize("unit", ["10^6/mL", "10*6/mL", "10**6/mL", "1e6/mL", "10⁶/mL"])
def test_a_power_is_raised_however_it_was_written(unit):
    assert drawn("{{ unit|unit }}", unit=unit) == "×10<sup>6</sup>/mL"


@pytest.mark.parametrize("unit", ["%", "EU/mL", "mL", "per cell", "°C", "10 mL"])
def test_other_units_stay_as_they_are(unit):
    assert drawn("{{ unit|unit }}", unit=unit) == unit


def test_a_limit_with_a_power_inside_keeps_its_own_factor():
    assert drawn("{{ text|unit }}", text="≤ 100 per 3×10^6") == "≤ 100 per 3×10<sup>6</sup>"


def test_a_quantity_is_shown_as_typed_with_its_qualifier():
    assert drawn('{% quantity "0.050" "EU/mL" qualifier="<" %}') == '<span class="nowrap">&lt; 0.050 EU/mL</span>'
    assert drawn('{% quantity "2.28E+8" %}') == '<span class="nowrap">2.28 ×10<sup>8</sup></span>'
    assert drawn('{% quantity "1,234" "mL" %}') == '<span class="nowrap">1,234 mL</span>'


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("2026-11-26T09:50", "26 Nov 2026, 09:50 CET"),
        ("2026-07-26 09:50", "26 Jul 2026, 09:50 CEST"),
        ("2026-11-26T09:50:07Z", "26 Nov 2026, 10:50:07 CET"),
        ("2026-13-26T09:50", "2026-13-26T09:50"),
        ("2026-11-26", "2026-11-26"),
        ("about 2026-11-26T09:50", "about 2026-11-26T09:50"),
    ],
)
def test_a_typed_moment_is_read_with_the_zone_of_the_site(typed, read):
    assert read in drawn("{% quantity value %}", value=typed)
    assert typed_words(typed, "Europe/Amsterdam") == read


def test_a_large_number_is_read_in_powers_or_groups():
    assert drawn("{{ limits|limits_text }}", limits={"low": "10000000"}) == "at least 1 ×10<sup>7</sup>"
    assert drawn("{{ limits|limits_text }}", limits={"low": "70.0", "high": "1234567"}) == "70.0 to 1\u202f234\u202f567"
    assert "5.6 ×10<sup>7</sup> cells" in drawn("{% quantity '56000000' 'cells' %}")
    assert "1\u202f234\u202f567 cells" in drawn("{% quantity '1234567' 'cells' %}")
    assert "12345678" in drawn("{% quantity '12345678' %}")  # without a unit it may be an identifier


def test_typed_markup_stays_text():
    evil = "<script>alert(1)</script>"
    for source in (
        "{% quantity evil evil %}",
        "{{ evil|unit }}",
        "{{ evil|powers }}",
        "{% gauge evil limits name=evil unit=evil qualifier=evil %}",
        '{% icon "check" evil %}',
    ):
        assert "<script" not in drawn(source, evil=evil, limits={"low": "1", "high": "2"})


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("long", "19 Nov 2026, 14:36:08 CET"),
        ("minute", "19 Nov 2026, 14:36 CET"),
        ("short", "19 Nov 14:36 CET"),
        ("time", "14:36:08 CET"),
        ("clock", "14:36"),
        ("date", "19 Nov 2026"),
        ("paper", "19 Nov 2026, 14:36:08 CET"),
    ],
)
def test_a_time_is_shown_in_the_zone_of_the_site(form, text):
    assert f">{text}</time>" in drawn(f'{{% when moment "{form}" %}}', moment=MOMENT)


def test_a_bare_date_is_not_moved_by_a_zone():
    assert ">28 Feb 2027</time>" in drawn("{% when day %}", day=date(2027, 2, 28))


def test_the_gauge_has_the_whole_sentence_as_its_name():
    html = drawn('{% gauge "68.4" limits name="Viability" unit="%" %}', limits={"low": "70.0", "high": "100.0"})
    assert 'role="img" aria-label="Viability: 68.4 %, 1.6 below the lower limit; limits 70.0 to 100.0 %"' in html
    assert 'data-s="alarm"' in html and "style=" not in html


def test_an_unknown_icon_is_named():
    with pytest.raises(KeyError, match="unicorn"):
        drawn('{% icon "unicorn" %}')


@pytest.mark.req("QC-01", case="negative")
@pytest.mark.parametrize("rule", ["1e6 ± 20 % cells/kg", "≥ 1e8 cells", "1.0e6 to 5e6 cells/kg", "10 to 100 %"])
def test_a_limit_is_never_shown_without_its_first_digit(rule):
    """A specification column once showed "×10⁶ ± 20 %" for 1e6 ± 20 %."""
    from django.template import engines

    shown = engines["django"].from_string("{{ rule|figures }}").render({"rule": rule})

    assert shown.lstrip("≥ ").startswith(rule.lstrip("≥ ")[0])
