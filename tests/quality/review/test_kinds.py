"""The rule table of the review: every kind is classed with a reason, and what it does not know is significant."""

import pytest

from batches.events import Event as BatchEvent
from quality.events import Event
from quality.review.kinds import INFORMATIONAL, QUIET, SIGNIFICANT, is_quiet, significance


@pytest.mark.req("AUD-12", case="positive")
def test_a_kind_that_no_rule_knows_is_significant():
    kind = significance(["batches.value_recorded", "batches.invented_tomorrow"])
    assert kind is not None and "batches.invented_tomorrow" in kind.words


def test_an_entry_without_a_name_is_significant():
    assert significance([]) is not None and not is_quiet([])


@pytest.mark.req("AUD-12", case="positive")
def test_work_as_planned_is_informational_and_a_correction_is_not():
    assert significance(["batches.value_recorded", "mes.signed"]) is None
    assert significance(["batches.value_corrected", "batches.value_recorded"]) is not None


def test_the_weightiest_kind_of_an_entry_counts():
    assert significance(["batches.excursion_chosen", "quality.late_failure"]).risk == "critical"


def test_no_kind_is_classed_twice_and_each_informational_one_has_its_reason():
    assert not set(SIGNIFICANT) & set(INFORMATIONAL)
    assert all(len(reason) > 20 for reason in INFORMATIONAL.values())


def test_nothing_significant_is_quiet():
    assert not {str(kind) for kind in SIGNIFICANT} & QUIET


def test_every_kind_that_steps_results_and_labels_leave_is_known():
    of_lots = {str(event) for event in (*BatchEvent, *Event)} - {str(kind) for kind in (*SIGNIFICANT, *INFORMATIONAL)}
    words = ("step", "value", "result", "sample", "label", "lot_", "hold", "deviation", "certif", "product")
    assert not [event for event in of_lots if event.rsplit(".", 1)[-1].startswith(words)]


def test_signing_alone_says_nothing_new_and_a_value_does():
    assert is_quiet(["mes.signed", "quality.lot_reviewed"])
    assert not is_quiet(["mes.signed", "batches.step_performed"])
