"""A site for tests of mes. Imports inside: this file is read before Django is set up."""

import pytest


@pytest.fixture
def place(db):
    """A site with the roles of tests.builders.staff (Staffed)."""
    from tests.builders.staff import open_site

    return open_site()
