"""Units, counts and codes as a person reads them; what is typed in or exact stays as it is."""

import pytest

from mes.audit.wordings import Words
from mes.web.templatetags.ui import quantity, unit_filter
from mes.words import counted, is_code, plain, said, said_in, shown_unit, unit_words


@pytest.mark.parametrize(
    ("stored", "read"),
    [
        ("degC", "°C"), ("2 to 8 degC", "2 to 8 °C"), ("38.4 deg C: above", "38.4 °C: above"), ("uL", "µL"), ("ng/uL", "ng/µL"), ("10 um", "10 µm"),
        ("umol/L", "µmol/L"), ("10^6/kg", "10^6/kg"), ("cells/kg", "cells/kg"), ("EU/mL", "EU/mL"), ("degCelsius", "degCelsius"),
        ("forum", "forum"), ("um die Ecke", "um die Ecke"), ("µL", "µL"), ("CULTURE uLtra", "CULTURE uLtra"),
    ],
)  # fmt: skip
def test_a_unit_is_read_as_people_write_it(stored, read):
    assert unit_words(stored) == read


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("1 pieces", "1 piece"), ("2 pieces", "2 pieces"), ("1.1 pieces", "1.1 pieces"), ("11 bags", "11 bags"), ("1 copies", "1 copy"), ("0.1 vials", "0.1 vials"),
        ("1 cells/kg", "1 cells/kg"), ("A-1 days", "A-1 days"), ("take 1 vials out", "take 1 vial out"),
    ],
)  # fmt: skip
def test_one_thing_is_said_in_the_singular(text, read):
    assert said(text) == read


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("<=0.5 EU/mL", "≤ 0.5 EU/mL"), (">= 70 %", "≥ 70 %"), ("< 0.05", "< 0.05"), ("a <= b", "a <= b"), ("<= −2 degC", "≤ −2 °C"),
    ],
)  # fmt: skip
def test_bounds_are_said_by_their_signs(text, read):
    assert said(text) == read


def test_a_sign_is_drawn_on_pages_and_left_in_what_was_typed():
    assert said_in("<td>&lt;= 0.5</td><bdi>&lt;=0.5</bdi><i>&gt;=70</i>") == "<td>≤ 0.5</td><bdi>&lt;=0.5</bdi><i>≥ 70</i>"


@pytest.mark.parametrize("exact", ["ug", "Ute Graf (ug), operator", "X-uL-7", "uM-12", "3q2+9ug=", "lot_uL"])
def test_user_names_and_codes_in_a_text_stay_letter_by_letter(exact):
    assert said(exact) == exact


def test_micro_in_a_sentence_is_still_read_as_people_write_it():
    assert said("5 ug, 5ug, 2 ug/mL, ug/kg, 10 um, in uL, ng/uL (uM)") == "5 µg, 5µg, 2 µg/mL, µg/kg, 10 µm, in µL, ng/µL (µM)"


def test_a_plain_number_has_no_unit_after_it():
    """Its unit is stored as 1: "100 1" would be read as 1001."""
    assert (shown_unit("1"), shown_unit("uL"), str(unit_filter("1"))) == ("", "µL", "")
    assert Words().typed("100", "1") == "100" and str(quantity({}, "100", "1")) == '<span class="nowrap">100</span>'


def test_counts_carry_the_right_noun():
    assert (counted(1, "entry", "entries"), counted(2, "entry", "entries"), counted(0, "lot"), counted(4212, "lot")) == (
        "1 entry", "2 entries", "0 lots", "4,212 lots",
    )  # fmt: skip
    assert plain("in_execution") == "in execution" and is_code("fill_start") and not is_code("Fill start") and not is_code("fill")


def test_only_the_text_of_a_page_is_said_in_words():
    page = (
        '<p title="degC">2 to 8 degC</p><input value="8 degC"><textarea rows="3">unit: degC</textarea><script>"degC"</script>'
        "<pre>degC\n</pre><!-- degC --><text>1 pieces</text><option value=\"degC\">in degC</option>"
    )
    assert said_in(page) == (
        '<p title="degC">2 to 8 °C</p><input value="8 degC"><textarea rows="3">unit: degC</textarea><script>"degC"</script>'
        "<pre>degC\n</pre><!-- degC --><text>1 piece</text><option value=\"degC\">in °C</option>"
    )


@pytest.mark.parametrize("page", ["", "no units here", "<p>degC", "degC<", "<textarea>degC", "a < b > 2 degC"])
def test_a_page_that_is_cut_off_loses_nothing(page):
    assert said_in(page).replace("°C", "degC") == page


def test_every_page_is_read_in_words_and_a_paper_too(client, settings):
    from django.http import HttpResponse, JsonResponse
    from django.test import RequestFactory

    from mes.web.middleware import Readable

    ask = RequestFactory().get("/")
    page = Readable(lambda request: HttpResponse("<p>4 degC</p>"))(ask)
    assert page.content.decode() == "<p>4 °C</p>" and "mes.web.middleware.Readable" in settings.MIDDLEWARE
    assert Readable(lambda request: JsonResponse({"unit": "degC"}))(ask).content == b'{"unit": "degC"}'


def test_what_a_person_typed_is_drawn_letter_by_letter():
    from django.template import Context, Template

    drawn = Template("{{ reason|as_typed }} at {{ unit }}").render(Context({"reason": "took 1 vials of 5 uL <b>", "unit": "8 degC"}))
    assert said_in(drawn) == "<bdi>took 1 vials of 5 uL &lt;b&gt;</bdi> at 8 °C"
