"""The page of rights is the code's."""

from quality.management.commands import draw_permissions
from quality.roles import ROLES


def test_the_page_of_rights_is_current():
    assert draw_permissions.PAGE.read_text() == draw_permissions.drawn(), "Run: python3 manage.py draw_permissions"


def test_the_administrator_holds_no_gmp_right_and_equipment_only_posts_readings():
    assert all(str(each).startswith("mes.") for each in ROLES["administrator"][1])
    assert [str(each) for each in ROLES["equipment"][1]] == ["batches.post_readings"]
    assert not [name for code, (name, held) in ROLES.items() if code != "administrator" and "mes.manage_people" in held]
