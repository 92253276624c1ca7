"""Every mark names a requirement that exists, and the printed table is current."""

from mes.management.commands.trace import PAGE, marked, page, requirements
from tests.house.source import report


def test_every_mark_names_a_requirement_that_exists():
    known = {requirement["id"] for requirement in requirements()}
    unknown = {shown.test: shown.requirement for shown in marked() if shown.requirement not in known}
    assert not unknown, report(unknown, "docs/validation/requirements.yaml holds no such id.")


def test_every_requirement_is_whole_and_has_an_id_of_its_own():
    every = requirements()
    ids = [requirement["id"] for requirement in every]
    assert len(ids) == len(set(ids))
    assert len(ids) > 100
    thin = {r["id"] for r in every if not all(r.get(part) for part in ("area", "text", "sources", "how_to_prove", "priority"))}
    assert not thin, report(thin, "Write area, text, sources, how_to_prove and priority.")


def test_the_printed_table_is_current():
    assert PAGE.exists(), "Run: python3 manage.py trace"
    assert PAGE.read_text(encoding="utf-8") == page(), "Tests or requirements changed. Run: python3 manage.py trace"
