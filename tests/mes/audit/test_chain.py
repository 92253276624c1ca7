"""Canonical bytes: one form for each value, and none for a binary float."""

import datetime as dt
import json
import uuid
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mes.audit import chain

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@pytest.mark.req("AUD-07", case="positive")
@given(JSON)
def test_the_canonical_text_reads_back_and_is_the_same_however_it_was_built(value):
    text = chain.canonical_json(value)
    assert json.loads(text) == value
    assert chain.canonical_json(json.loads(text)) == text
    text.encode()


@given(st.dictionaries(st.text(), st.text()))
def test_the_order_of_names_does_not_matter(names):
    backwards = dict(reversed(list(names.items())))
    assert chain.row_digest(names) == chain.row_digest(backwards)


@pytest.mark.req("AUD-07", case="negative")
@pytest.mark.parametrize("value", [1.5, {"a": [0.1]}, [{"b": float("nan")}]])
def test_a_binary_float_has_no_canonical_form(value):
    with pytest.raises(TypeError, match="binary floats"):
        chain.canonical_json(value)


def test_an_unknown_kind_of_value_has_no_canonical_form():
    with pytest.raises(TypeError, match="no canonical form for timedelta"):
        chain.column_text(dt.timedelta(1))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, None),
        (True, True),
        (7, "7"),
        (Decimal("1.500"), "1.500"),
        (Decimal("1E+3"), "1000"),
        (Decimal("0.0000001"), "0.0000001"),
        (uuid.UUID("0192B7F0-0000-7000-8000-000000000000"), "0192b7f0-0000-7000-8000-000000000000"),
        (dt.datetime(2026, 11, 22, 9, 0, tzinfo=dt.timezone(dt.timedelta(hours=1))), "2026-11-22T08:00:00.000000Z"),
        (dt.date(2026, 1, 2), "2026-01-02"),
        (memoryview(b"\x00\xff"), "00ff"),
        ({"b": 1, "a": "é"}, '{"a":"é","b":1}'),
    ],
)
def test_each_kind_of_value_has_one_text(value, text):
    assert chain.column_text(value) == text


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a": "1"}, {"a": "1", "b": None}),
        ({"a": "1.50"}, {"a": "1.5"}),
        ({"a": None}, {"a": ""}),
        ({"a": "true"}, {"a": True}),
        ({"a": 'x","b":"y'}, {"a": "x", "b": "y"}),
        ({"a": "é"}, {"a": "e\u0301"}),
    ],
)
def test_rows_that_differ_have_other_digests(one, other):
    assert chain.row_digest(one) != chain.row_digest(other)


def test_the_formats_written_once_stay_as_they_are():
    """Known answers: whoever changes these bytes breaks every trail there is. Add a format instead."""
    assert chain.row_digest({"id": "1", "name": "Ä"}).hex() == ("70088da2a64430040d3a6b7262fe901e645e1857554d092f7eda9d9921470acc")
    assert chain.entry_hash(chain.entry_canon({"canon": 1, "seq": "1"})).hex() == ("e19cf2c81e310781148c597e2bd95654c53dd27cb7f5c3abc7b042bb7f35a941")
    assert chain.schema_id("mes_user", ["id", "version"]) == "5858cf923e59ac6b"
