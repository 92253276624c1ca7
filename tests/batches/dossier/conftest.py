"""A floor with quality for tests of the dossier."""

import pytest


@pytest.fixture
def judged(db, settings, tmp_path):
    """A site at work, with everybody who judges (tests.builders.judged); patients' keys go to a folder of the test's own."""
    from tests.builders.judged import Judged  # this file is read before Django is set up

    settings.KEYS_FOLDER = tmp_path / "keys"
    return Judged()
