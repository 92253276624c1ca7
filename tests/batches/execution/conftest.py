"""One floor for each test of execution."""

import pytest


@pytest.fixture
def floor(databases, django_db_setup, django_db_blocker, settings, tmp_path_factory):
    """A site at work with an effective recipe; a test orders its own lots, and they are rolled back."""
    from tests.builders.floor import Floor  # this file is read before Django is set up
    from tests.builders.pooled import kept

    with kept(Floor, databases, django_db_blocker, settings, tmp_path_factory) as floor:
        yield floor
