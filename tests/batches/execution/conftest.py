"""One floor for each test of execution."""

import pytest


@pytest.fixture
def floor(db):
    """A site at work with an effective recipe; a test orders its own lots."""
    from tests.builders.floor import Floor  # this file is read before Django is set up

    return Floor()
