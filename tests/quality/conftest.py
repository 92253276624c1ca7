"""A laboratory for each test of quality."""

import pytest


@pytest.fixture
def lab(databases, django_db_setup, django_db_blocker, settings, tmp_path_factory):
    """A site at work with a laboratory (tests.builders.laboratory); what a test changes is rolled back."""
    from tests.builders.laboratory import Laboratory  # this file is read before Django is set up
    from tests.builders.pooled import kept

    with kept(Laboratory, databases, django_db_blocker, settings, tmp_path_factory) as lab:
        yield lab


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
