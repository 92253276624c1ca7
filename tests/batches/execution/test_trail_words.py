"""A corrected value as the audit trail says it: old, new, who, why."""

import pytest

from mes.audit import readable
from tests.batches.execution.test_services import correct, current

pytestmark = pytest.mark.django_db


@pytest.mark.req("AUD-02", case="positive")
def test_a_corrected_value_is_read_as_a_change_with_old_new_and_why(floor):
    lot = floor.to_count()
    floor.enter(lot, "A1.2", viability="68.4")
    correct(floor, current(floor, lot, "A1.2", "viability"), "86.4", reason="Read the wrong line")
    with floor.reading():
        lines = [line for line in readable.lines_of_stream(lot.stream) if line.old == "68.4"]
    assert lines and all(line.new == "86.4" and line.why == "Read the wrong line" for line in lines)
    assert "viability" in lines[0].what
