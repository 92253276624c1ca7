"""Which lines of the navigation stand in the bar, and which under More."""

from django.template.loader import render_to_string

from mes.web.panels import placed


def lines(count: int, current: int = -1) -> list[dict]:
    return [{"label": f"Line {at}", "url": f"/l{at}/", "current": at == current} for at in range(count)]


def bar(count: int, current: int = -1) -> str:
    return render_to_string("_components/bar.html", {"nav": placed(lines(count, current)), "person": None})


def test_four_lines_stand_in_the_bar_at_every_width_and_the_others_where_there_is_room():
    places = [line["place"] for line in placed(lines(11))]
    assert places == ["bar"] * 4 + ["wide"] * 2 + ["widest"] * 3 + ["more"] * 2


def test_a_short_navigation_has_no_menu():
    assert "<details" not in bar(4)


def test_every_line_that_may_be_hidden_in_the_bar_stands_in_the_menu():
    shown = bar(11)
    menu = shown.partition("<details")[2]
    assert all(f'href="/l{at}/"' in menu for at in range(4, 11))
    assert all(f'href="/l{at}/"' not in menu for at in range(4))
    assert shown.partition("<details")[0].count("<a href=") == 9


def test_the_menu_says_that_the_present_page_is_in_it():
    assert 'data-current="more"' in bar(11, current=10) and 'data-current="wide"' in bar(11, current=4)
    assert "data-current" not in bar(11, current=1)
