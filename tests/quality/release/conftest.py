"""A floor with quality, its lots made once, for each test."""

import pytest


@pytest.fixture
def judged(databases, django_db_setup, django_db_blocker, settings, tmp_path_factory):
    """A site at work with everybody who judges; what a test changes is rolled back (tests.builders.pooled)."""
    from tests.builders.pooled import from_pool  # this file is read before Django is set up

    with from_pool(databases, django_db_blocker, settings, tmp_path_factory) as site:
        yield site
