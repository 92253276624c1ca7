"""A laboratory for each test of quality."""

import pytest


@pytest.fixture
def lab(db, settings, tmp_path):
    """A site at work with a laboratory (tests.builders.laboratory); patients' keys go to a folder of the test's own."""
    from tests.builders.laboratory import Laboratory  # this file is read before Django is set up

    settings.KEYS_FOLDER = tmp_path / "keys"
    return Laboratory()


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
