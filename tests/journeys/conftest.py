"""The fixtures of journeys. What they use of the project is imported inside: this file is read before Django is set up."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest


@pytest.fixture(scope="package")
def running_site(databases, django_db_setup, django_db_blocker, tmp_path_factory) -> Iterator:
    """A demo site of these journeys' own: a committed database, real web, worker and beat, made-up people with sessions of their own."""
    from tests.builders import demo_site
    from tests.conftest import close_connections, pointing

    database = databases.copy()
    with pytest.MonkeyPatch.context() as patch, django_db_blocker.unblock(), pointing(database):
        with demo_site.running_site(tmp_path_factory.mktemp("site"), patch) as site:
            yield site
        close_connections()
    databases.drop(database.name)


@pytest.fixture(scope="package")
def site(running_site):
    """The same with everything that a lot of ARI-0001 needs."""
    running_site.prepare("ari0001")
    return running_site


MADE_UP = frozenset({"appearance", "adventitious_viruses"})
"""Criteria of ARI-0001 for which the paper prints nothing."""
NOT_YET = frozenset({"car_pos_percent_d5", "cd3_percent_d5"})
"""Results of day 5 of MB-CART20.1 that nobody has entered yet: the documented lines do."""


@pytest.fixture(scope="package")
def lot_in_qc(site):
    """ARI0001/01 with every step before release done and its published results entered, not reviewed; the made-up ones are not there."""
    work = site.work(key="published", ends="in_qc")
    site.run(work)
    work.laboratory.receive_samples()
    work.laboratory.test(frozenset({"before_infusion"}), without=MADE_UP)
    return work


@pytest.fixture(scope="package")
def refused_release(site, lot_in_qc):
    """What happened when the same lot was to be certified without the made-up results: the refusal, the gate, the state of the lot."""
    from quality.demo.client import Refused

    work = site.work(key="published", without=MADE_UP)
    with pytest.raises(Refused) as caught:
        site.run(work)
    return caught.value, work.judging.gate("stage_1"), work.judging.state(), site.cast["qp"].get(f"{work.judging.lot}certificates/")


@pytest.fixture(scope="package")
def certified_lot(site, refused_release):
    """The same lot with all its results led on to its final certificate; the story goes on where it stopped."""
    work = site.work(key="published")
    site.run(work)
    return work


@pytest.fixture(scope="package")
def mb_site(running_site):
    """The site with everything that a lot of MB-CART20.1 needs."""
    running_site.prepare("mb_cart20_1")
    return running_site


@pytest.fixture(scope="package")
def mb_lot(mb_site):
    """A lot of MB-CART20.1 after the decision of day 5, one value of day 0 outside its action limit."""
    work = mb_site.work(
        product="mb_cart20_1", data="DEMO/MB/01", key="first-days", din="X999926000921", ends="in_execution", stops_after="A8.5", without=NOT_YET
    )
    work.data.record["culture_temperature"] = "38.4"  # 36 to 38 is the action limit
    mb_site.run(work)
    return work


@pytest.fixture
def refused() -> Callable:
    """`with refused("code"):` asserts that a call is refused with that code."""
    from tests.builders import demo_site

    return demo_site.refusal
