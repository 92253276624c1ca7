"""The trail of a lot is said with the names of its recipe: steps, parameters, people, states; amber is only what is not routine."""

import re

import pytest

from batches.execution import services as steps
from batches.execution.models import Entry
from batches.execution.queries.content import correction_subject
from mes.clock import record_now
from tests.builders.staff import signed_in


@pytest.fixture
def floor(databases, django_db_setup, django_db_blocker, settings, tmp_path_factory):
    from tests.builders.floor import Floor
    from tests.builders.pooled import kept

    with kept(Floor, databases, django_db_blocker, settings, tmp_path_factory) as floor:
        yield floor


RAW = re.compile(r"\b[a-z][a-z0-9]*_[a-z0-9_]+\b|\b[0-9a-f]{8}-[0-9a-f]{4}-|\bTrue\b|\bFalse\b|\bNone\b|…[0-9a-f]{6}")


def told(page) -> list[str]:
    """The text of each entry of a page, without its tags."""
    html = page.content.decode()
    found = re.findall(r"(?s)<li.*?</li>", html[html.index('<ol class="aud">') :].partition("</ol>")[0])
    return [re.sub(r"\s+", " ", re.sub(r"<[^>]*>", "", each)) for each in found]


@pytest.fixture
def worked(floor):
    """A lot worked on as planned, with one value past its limit and one corrected."""
    lot = floor.to_count()
    floor.enter(lot, "A1.2", viability="82.4", volume="100")
    with floor.reading():
        entry = Entry.objects.select_related("step_run").get(lot=lot, parameter="viability")
        what = correction_subject(entry, entry.step_run, "84.2", "Digits swapped")
    proof = floor.proof("maya", "jonas", what, "confirmed_transcription")
    steps.correct_value(by=floor.by("maya"), entry_id=entry.pk, text="84.2", reason="Digits swapped", proof=proof)
    return lot, signed_in(floor.users["boss"])


@pytest.mark.req("AUD-02", case="positive")
def test_a_value_is_told_by_its_step_and_the_name_of_its_parameter(worked):
    lot, boss = worked
    lines = told(boss.get("/audit/", {"lot": lot.number}))
    corrected = next(each for each in lines if "Digits swapped" in each)
    assert "Step A1.2, Count cells and check viability" in corrected
    assert "Viability: 82.4 % → 84.2 %" in corrected and "Compared with its source by: Jonas Demo" in corrected
    assert any("Steps planned: " in each for each in lines)


@pytest.mark.req("AUD-02", case="negative")
@pytest.mark.parametrize("where", ["/audit/?lot={number}", "/audit/stream/lot/{pk}/"])
def test_no_code_key_or_id_stands_in_the_trail_of_a_lot(worked, where):
    lot, boss = worked
    lines = told(boss.get(where.format(number=lot.number, pk=lot.pk)))
    assert len(lines) > 10
    assert [RAW.search(each)[0] + ": " + each for each in lines if RAW.search(each)] == []


@pytest.mark.req("AUD-12", case="negative")
def test_work_as_planned_is_not_amber_and_a_correction_is(worked):
    lot, boss = worked
    html = boss.get("/audit/", {"lot": lot.number}).content.decode()
    entries = re.findall(r"(?s)<li.*?</li>", html[html.index('<ol class="aud">') :].partition("</ol>")[0])
    amber = [each for each in entries if each.startswith('<li class="chg">')]
    assert len(amber) == 1 and "Digits swapped" in amber[0] and "Not routine:" in amber[0]
    assert any("Step opened" in each and "→" in each for each in entries), "a state change is among what is not amber"


@pytest.mark.req("AUD-10", case="positive")
def test_a_past_time_is_told_in_words_with_every_field_beside(worked):
    lot, boss = worked
    html = boss.get(f"/audit/stream/lot/{lot.pk}/as-of/", {"at": record_now().isoformat()}).content.decode()
    main = html[html.index("As of ") :]
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", re.sub(r"(?s)<details.*?</details>", "", main)))
    assert "Step A1.2, Count cells and check viability" in text and "Viability: 84.2 %" in text
    assert RAW.search(text) is None, RAW.search(text)
    everything = re.sub(r"<[^>]*>", " ", main)
    assert "Every field" in everything and "Parameter: Viability" in everything and "Step run: Step A1.2" in everything


@pytest.mark.req("AUD-10", case="positive")
def test_the_export_says_every_column_as_it_is_stored(worked):
    lot, boss = worked
    text = b"".join(boss.get(f"/audit/stream/lot/{lot.pk}/export.csv").streaming_content).decode()
    assert "viability" in text and "82.4" in text and "84.2" in text
