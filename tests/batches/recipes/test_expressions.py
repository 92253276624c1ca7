"""The expression language: what is refused before approval, exact results, and the trace for the record."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batches.recipes.expressions import Expression, ExpressionRefused, Kind, calculation_order
from batches.recipes.units import same_unit

NAMES = {
    "density": Kind("number", "10^6 cells/mL"),
    "volume": Kind("number", "mL"),
    "car_pct": Kind("number", "% of viable CD3+"),
    "cells_in": Kind("number", "cells"),
    "cells_out": Kind("number", "cells"),
    "titre": Kind("number", "TU/mL"),
    "weight": Kind("number", "kg"),
    "dose_target": Kind("number", "CAR+ cells/kg"),
    "warmest": Kind("number", "degC"),
    "coldest": Kind("number", "degC"),
    "viability": Kind("number", "%", repeated=True),
    "route": Kind("text", choices=("continue", "terminate")),
    "intact": Kind("boolean"),
}


def number(unit=""):
    return Kind("number", unit)


def check_refusal(source, result=None):
    with pytest.raises(ExpressionRefused) as refused:
        Expression.parse(source).check(NAMES, result)
    return refused.value


def value_refusal(source, **values):
    with pytest.raises(ExpressionRefused) as refused:
        Expression.parse(source).evaluate(values)
    return refused.value


def result_of(source, **values):
    return Expression.parse(source).evaluate({name: Decimal(v) if isinstance(v, str) and v[0] in "-0123456789" else v for name, v in values.items()})


@pytest.mark.req("MBR-04", case="positive")
@pytest.mark.parametrize(
    ("source", "unit"),
    [
        ("titre * volume / cells_in", "TU/cell"),
        ("density * volume", "10^6 cells"),
        ("density * volume * 1000000", "CAR+ cells"),
        ("convert(density * volume, '10^6 cells', 'cells')", "cells"),
        ("car_pct / 100 * density * volume * 1e6 / weight", "CAR+ cells/kg"),
        ("car_pct * density * volume / 100", "10^6 cells"),
        ("cells_out / cells_in * 100", "%"),
        ("cells_out / cells_in", "fold"),
        ("ln(cells_out / cells_in) / ln(2)", ""),
        ("0.8 * dose_target", "cells/kg"),
        ("dose_target * weight", "CAR+ cells"),
        ("warmest - coldest", "degC"),
        ("mean(viability)", "%"),
        ("round(volume / 3, 1)", "mL"),
        ("count(viability)", ""),
        ("sqrt(volume * volume)", "mL"),
        ("volume if intact else 0", "mL"),
        ("volume ** 2 / volume", "mL"),
        ("cells_out / volume / 1000000", "10^6 cells/mL"),
        ("12.5", "h"),
    ],
)
def test_formulas_of_the_process_fit_the_unit_of_their_parameter(source, unit):
    assert Expression.parse(source).check(NAMES, number(unit)) == number(unit)


@pytest.mark.req("MBR-04", case="negative")
@pytest.mark.parametrize(
    ("source", "unit", "says"),
    [
        ("cells_in + volume", "cells", "joins cells with mL"),
        ("density * volume", "cells", "differs from cells by a factor"),
        ("0.8 * volume", "L", "differs from L by a factor"),
        ("volume * 10", "L", "by a factor"),
        ("cells_out / cells_in", "%", "Multiply by 100"),
        ("titre * volume", "TU/cell", "gives TU"),
        ("volume < weight", "", "joins mL with kg"),
        ("min(volume, cells_in)", "mL", "joins"),
        ("volume if intact else weight", "mL", "joins"),
        ("warmest + coldest", "degC", "cannot be added"),
        ("warmest * 2", "degC", "zero is arbitrary"),
        ("sqrt(volume)", "mL", "no square root"),
        ("ln(volume)", "", "plain number"),
        ("2 ** volume", "", "plain number"),
        ("volume ** (cells_in / cells_out)", "mL", "whole number"),
        ("convert(volume, 'L', 'mL')", "mL", "told 'L'"),
        ("convert(volume, 'mL', 'kg')", "kg", "do not measure the same"),
        ("1 / 1000000 * density + volume", "", "joins"),
    ],
)
def test_units_that_do_not_fit_are_refused_with_a_sentence(source, unit, says):
    refused = check_refusal(source, number(unit))

    assert refused.code == "unit_mismatch"
    assert says in refused.sentence


@pytest.mark.parametrize(
    ("source", "code", "column", "says"),
    [
        ("volum * 2", "unknown_name", 1, "'volume'"),
        ("volume * zzz", "unknown_name", 10, "not a parameter"),
        ("rond(volume, 1)", "unknown_function", 1, "'round'"),
        ("open(1)", "unknown_function", 1, "not a function"),
        ("abs(volume, volume)", "wrong_number_of_arguments", 1, "takes 1"),
        ("min()", "wrong_number_of_arguments", 1, "takes 1 to 20"),
        ("intact + 1", "wrong_kind", 1, "needs a number"),
        ("volume and intact", "wrong_kind", 1, "yes or no"),
        ("not volume", "wrong_kind", 5, "yes or no"),
        ("route > 'a'", "wrong_kind", 7, "numbers only"),
        ("route == 1", "wrong_kind", 7, "compares"),
        ("route == 'continu'", "unknown_choice", 7, "'continue'"),
        ("viability * 2", "repeated_value", 1, "last(viability)"),
        ("viability", "repeated_value", 1, "last(viability)"),
        ("abs(viability)", "repeated_value", 5, "last(viability)"),
        ("last(volume)", "wrong_kind", 6, "several times"),
        ("round(volume, cells_in)", "wrong_kind", 15, "whole number"),
        ("round(volume, 1.5)", "wrong_kind", 15, "whole number"),
        ("convert(volume, 'furlong', 'mL')", "unknown_unit", 17, "not known"),
        ("convert(volume, route, 'mL')", "wrong_kind", 1, "texts"),
        ("cells_in ** 21", "power_too_large", 10, "20"),
        ("1 if intact else 'a'", "wrong_kind", 3, "different kinds"),
    ],
)
def test_names_and_kinds_are_refused_at_their_column(source, code, column, says):
    refused = check_refusal(source)

    assert (refused.code, refused.column) == (code, column)
    assert says in refused.sentence


def test_a_result_of_another_kind_than_declared_is_refused():
    assert check_refusal("intact", number()).code == "wrong_kind"
    assert check_refusal("volume", Kind("boolean")).code == "wrong_kind"


def test_a_parameter_with_an_unknown_unit_is_refused_where_it_is_used():
    with pytest.raises(ExpressionRefused) as refused:
        Expression.parse("x + 1").check({"x": number("parsec")})
    assert (refused.value.code, refused.value.column) == ("unknown_unit", 1)


@pytest.mark.parametrize("source", ["titre * volume / cells_in", "density * volume", "volume ** 2", "cells_in / weight", "cells_in / volume * 1000"])
def test_the_unit_of_a_derived_result_can_be_read_again(source):
    kind = Expression.parse(source).check(NAMES)

    assert same_unit(kind.unit, kind.unit)
    Expression.parse(source).check(NAMES, kind)


@pytest.mark.parametrize(
    "source",
    [
        "", " ", "dose >", "1 +", "(1", "1)", "1 2", "volume.real", "volume[0]", "lambda: 1", "[x for x in y]", "{}", "a = 1", "1, 2", "'a' 'b'",
        "f'{1}'", "0x10", "1_000", "1.e5", ".5", "5.", "1j", "10^6", "5 % 2", "7 // 2", "a & b", "x ≥ 1", "a\\b", "a;b", "a`b", "1 if x", "if", "and 1",
        "()", "f(", "f(1,", "'unclosed", "2volume", "__import__('os')(1)", "\x00", "a @ b", "x := 1", "1 < < 2", "\u0661", "é",
    ],
)  # fmt: skip
def test_what_is_not_of_the_language_is_refused_as_unreadable(source):
    with pytest.raises(ExpressionRefused) as refused:
        Expression.parse(source)
    assert refused.value.code == "unreadable"
    assert refused.value.column is not None
    assert refused.value.sentence.endswith(".")


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("1" * 31, "literal_out_of_range"),
        ("1e31", "literal_out_of_range"),
        ("1e999999", "literal_out_of_range"),
        ("1e-31", "literal_out_of_range"),
        ("0e99999999", "literal_out_of_range"),
        ("1+" * 600 + "1", "too_long"),
        ("a " * 400, "too_long"),
        ("(" * 60 + "1" + ")" * 60, "nested_too_deep"),
        ("-" * 100 + "1", "nested_too_deep"),
        ("not " * 100 + "true", "nested_too_deep"),
        ("2**" * 100 + "1", "nested_too_deep"),
        ("abs(" * 60 + "1" + ")" * 60, "nested_too_deep"),
        ("1 if true else " * 50 + "1", "nested_too_deep"),
    ],
)
def test_size_is_bounded_before_anything_is_computed(source, code):
    with pytest.raises(ExpressionRefused) as refused:
        Expression.parse(source)
    assert refused.value.code == code


def test_advice_names_what_to_write_instead():
    for source, advice in {"10^6": "**", "a = 1": "==", "a ≥ 1": ">=", "5 % 2": "/ 100", "2 × 3": "*"}.items():
        with pytest.raises(ExpressionRefused, match="Write") as refused:
            Expression.parse(source)
        assert advice in refused.value.sentence


@pytest.mark.req("EXE-07", case="positive")
@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("0.1 + 0.2 == 0.3", True),
        ("7.9e6 / 1.0e7 * 100", Decimal("79")),
        ("2 + 3 * 4 - 6 / 3", Decimal("12")),
        ("-2 ** 2", Decimal("-4")),
        ("2 ** -1", Decimal("0.5")),
        ("2 ** 3 ** 2", Decimal("512")),
        ("(1 + 2) * -3", Decimal("-9")),
        ("round(2.345, 2)", Decimal("2.35")),
        ("round(-2.345, 2)", Decimal("-2.35")),
        ("round_half_even(2.345, 2)", Decimal("2.34")),
        ("round(1234, -2)", Decimal("1.2E+3")),
        ("min(3, 1, 2) + max(3, 1, 2)", Decimal("4")),
        ("abs(-5)", Decimal("5")),
        ("sqrt(2) ** 2 - 2 < 1e-30", True),
        ("log10(1000)", Decimal("3")),
        ("mean(1, 2)", Decimal("1.5")),
        ("1 < 2 <= 2 < 3", True),
        ("1 < 2 > 5", False),
        ("not 1 > 2 and (true or false)", True),
        ("'a' if 1 > 2 else 'b'", "b"),
        ("True == true", True),
        ("'it' != \"it\"", False),
        ("convert(90, 'min', 'h')", Decimal("1.5")),
        ("0 * -1", Decimal("0")),
    ],
)
def test_results_are_exact(source, expected):
    expression = Expression.parse(source)

    expression.check({})
    result = expression.evaluate({})
    assert result == expected
    assert type(result) is type(expected)


def test_zero_is_never_minus_zero():
    assert not Expression.parse("0 * -1").evaluate({}).is_signed()


def test_published_total_of_transduced_cells_is_computed_to_the_digit():
    """ARI0001/01, Castella 2019 Table 2: 26.0 % of 5.75e9 cells is 1.495e9."""
    assert result_of("car_pct / 100 * cells_out", car_pct="26.0", cells_out="5.75e9") == Decimal("1.495e9")


def test_repeated_steps_are_summed_counted_and_read_last():
    values = {"viability": [Decimal("90"), Decimal("95.5"), Decimal("93")]}

    assert Expression.parse("last(viability)").evaluate(values) == 93
    assert Expression.parse("first(viability)").evaluate(values) == 90
    assert Expression.parse("max(viability) - min(viability)").evaluate(values) == Decimal("5.5")
    assert Expression.parse("sum(viability) / count(viability) == mean(viability)").evaluate(values) is True
    assert Expression.parse("max(viability, 99)").evaluate(values) == 99


def test_without_repeats_yet_sum_and_count_are_zero_and_the_rest_is_missing():
    assert Expression.parse("sum(x) + count(x)").evaluate({"x": []}) == 0
    assert Expression.parse("count(x)").evaluate({"x": None}) == 0
    assert value_refusal("last(x)", x=[]).code == "missing_value"
    assert value_refusal("count(y)").code == "missing_value"


@pytest.mark.parametrize(
    ("source", "values", "code", "column"),
    [
        ("a / b", {"a": "1", "b": "0"}, "division_by_zero", 3),
        ("a / b", {"a": "0", "b": "0"}, "impossible_operation", 3),
        ("0 ** a", {"a": "-1"}, "division_by_zero", 3),
        ("a + b", {"a": "1"}, "missing_value", 5),
        ("a + b", {"a": "1", "b": None}, "missing_value", 5),
        ("sqrt(a)", {"a": "-1"}, "impossible_operation", 1),
        ("ln(a)", {"a": "0"}, "impossible_operation", 1),
        ("log10(a)", {"a": "-3"}, "impossible_operation", 1),
        ("(0 - 8) ** 0.5", {}, "impossible_operation", 9),
        ("a ** 101", {"a": "2"}, "power_too_large", 3),
        ("9 ** 9 ** 9", {}, "power_too_large", 3),
        ("a ** 100 * a ** 100", {"a": "1e9"}, "number_too_large", 10),
        ("a ** 100 * a ** 100", {"a": "1e-9"}, "number_too_small", 10),
        ("a", {"a": Decimal("NaN")}, "impossible_operation", 1),
        ("a + 1", {"a": "x"}, "wrong_kind", 1),
        ("a + 1", {"a": [Decimal(1)]}, "repeated_value", 1),
        ("not a", {"a": "1"}, "wrong_kind", 5),
        ("a < b", {"a": True, "b": False}, "wrong_kind", 3),
        ("round(a, 20)", {"a": "1e30"}, "impossible_operation", 1),
    ],
)
def test_what_has_no_result_is_refused_at_its_column(source, values, code, column):
    with pytest.raises(ExpressionRefused) as refused:
        result_of(source, **values)
    assert (refused.value.code, refused.value.column) == (code, column)


def test_binary_floats_never_enter():
    with pytest.raises(TypeError):
        Expression.parse("a").evaluate({"a": 0.1})  # type: ignore[dict-item]


def test_a_branch_not_taken_may_lack_its_values():
    assert result_of("a if intact else b", intact=True, a="1") == 1
    assert Expression.parse("intact or b > 1").evaluate({"intact": True}) is True
    assert Expression.parse("intact and b > 1").evaluate({"intact": False}) is False


@pytest.mark.req("EXE-07", case="positive")
def test_the_trace_shows_the_formula_with_its_values():
    trace = Expression.parse("round(viable / total * 100, 1) + delta").trace(
        {"viable": Decimal("7.9e6"), "total": Decimal("1.00e7"), "delta": Decimal("-1"), "unused": Decimal(3)}
    )

    assert trace.filled == "round(7.9e6 / 1.00e7 * 100, 1) + (-1)"
    assert trace.values == (("viable", "7.9e6"), ("total", "1.00e7"), ("delta", "-1"))
    assert str(trace) == "round(viable / total * 100, 1) + delta = round(7.9e6 / 1.00e7 * 100, 1) + (-1) = 78.0"


def test_the_trace_shows_lists_texts_and_missing_values():
    trace = Expression.parse("last(v) > 1 and route == 'route' or late").trace({"v": [Decimal(1), Decimal("2.0")], "route": "route", "late": None})

    assert trace.filled == "last(1, 2.0) > 1 and 'route' == 'route' or (no value)"
    assert trace.result is True


def test_names_used_are_known_without_evaluation():
    assert Expression.parse("round(a, 1) if b and true else min(c, 'a' == 'b')").names == {"a", "b", "c"}


def test_calculations_are_ordered_and_a_circle_is_named():
    order = calculation_order({"c": Expression.parse("b + a"), "b": Expression.parse("a * 2"), "a": Expression.parse("x")})
    assert order == ("a", "b", "c")
    with pytest.raises(ExpressionRefused) as refused:
        calculation_order({"a": Expression.parse("b"), "b": Expression.parse("a")})
    assert refused.value.code == "circular"
    assert "a -> b -> a" in refused.value.sentence or "b -> a -> b" in refused.value.sentence


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(source):
    try:
        expression = Expression.parse(source)
        expression.check(NAMES)
        expression.evaluate({})
    except ExpressionRefused as refused:
        assert refused.code and refused.sentence


_LEAF = st.integers(-50, 50).map(str)
_TREE = st.recursive(_LEAF, lambda part: st.tuples(part, st.sampled_from("+-*"), part).map(lambda t: f"({t[0]} {t[1]} {t[2]})"), max_leaves=12)


@settings(max_examples=200)
@given(_TREE)
def test_sums_and_products_are_those_of_exact_arithmetic(source):
    result = Expression.parse(source).evaluate({})

    assert Fraction(result) == Fraction(eval(source))  # integers only, made by the strategy above


@given(
    st.sampled_from("abcdxyz<>=!+-*/() .,'0123456789eE_if else and or not min(round(").flatmap(lambda c: st.lists(st.just(c), max_size=5)),
    st.data(),
)
def test_soups_of_valid_words_never_end_otherwise_than_by_a_refusal(head, data):
    words = [
        "a",
        "b",
        "1",
        "2.5",
        "(",
        ")",
        "+",
        "-",
        "*",
        "/",
        "**",
        "<",
        "==",
        "and",
        "or",
        "not",
        "if",
        "else",
        "min(",
        ",",
        "round(",
        "'t'",
        "true",
    ]
    source = " ".join([*head, *data.draw(st.lists(st.sampled_from(words), max_size=14))])
    try:
        expression = Expression.parse(source)
        kind = expression.check({"a": number("mL"), "b": Kind("boolean")})
        result = expression.evaluate({"a": Decimal("2"), "b": True})
    except ExpressionRefused:
        return
    assert isinstance(result, {"number": Decimal, "boolean": bool, "text": str}[kind.kind])


@given(
    st.decimals(min_value=Decimal("0.001"), max_value=Decimal("1e12"), allow_nan=False, allow_infinity=False, places=3),
    st.decimals(min_value=Decimal("0.001"), max_value=Decimal("1e6"), allow_nan=False, allow_infinity=False, places=3),
)
def test_a_checked_formula_gives_what_conversion_by_units_gives(density, volume):
    """The written factor and convert() are two ways to say the same: results are equal to the digit."""
    written = Expression.parse("density * volume * 1000000")
    converted = Expression.parse("convert(density * volume, '10^6 cells', 'cells')")
    values = {"density": density, "volume": volume}

    assert written.evaluate(values) == converted.evaluate(values)
