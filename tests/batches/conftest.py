"""A site in use for tests of batches. Imports inside: this file is read before Django is set up."""

import pytest


@pytest.fixture
def _without_quality(monkeypatch):
    """Batches by itself: what quality answers to its events is tested in tests/quality and tests/journeys."""
    from mes.records import door

    own = {event: [each for each in known if not each.__module__.startswith("quality.")] for event, known in door._receivers.items()}
    monkeypatch.setattr(door, "_receivers", own)


@pytest.fixture
def world(databases, django_db_setup, django_db_blocker, settings, tmp_path_factory, _without_quality):
    """A site with every role (tests.builders.registers.World); what a test changes is rolled back."""
    from tests.builders.pooled import kept  # this file is read before Django is set up
    from tests.builders.registers import staffed_world

    with kept(staffed_world, databases, django_db_blocker, settings, tmp_path_factory) as world:
        yield world


@pytest.fixture
def refused():
    """`with refused("code") as answer:` expects a broken rule with that code; `answer.value` is the refusal."""
    from contextlib import contextmanager

    from mes.errors import RuleBroken

    @contextmanager
    def expects(code: str):
        with pytest.raises(RuleBroken) as caught:
            yield caught
        assert caught.value.code == code, f"{caught.value.code}: {caught.value.sentence}"

    return expects
