"""Who may not: roles swapped on a running lot, refused with the same code by the page and by the API."""

import pytest


@pytest.fixture(scope="package")
def started(site):
    """A lot on its first day of manufacture, the line cleared."""
    work = site.work(key="swapped", din="X999926000931", ends="in_execution", stops_after="A3.1")
    site.run(work)
    return work


@pytest.mark.req("REL-02", case="negative")
@pytest.mark.req("ACC-02", case="negative")
def test_an_operator_does_not_certify(site, started, refused):
    operator = site.cast["operator"]
    with refused("not_your_role", 403):
        operator.sign(f"/api/v1/lots/{started.number}/certify/", query={"stage": "final"})
    with refused("not_your_role", 403):
        operator.page(f"/lots/{started.number}/release/")


@pytest.mark.req("SIG-09", case="negative")
def test_who_performed_a_step_does_not_check_it(site, started, refused):
    operator, line = site.cast["operator"], next(each for each in started.floor.steps() if each["key"] == "A3.2")
    path = started.floor.path("A3.2")
    step = started.floor.open(operator, operator.get(path))
    started.floor.fill(operator, step)
    started.floor.sign(operator, path, step)
    with refused("same_person", 403):
        operator.sign(f"{path}second/sign/")
    with refused("same_person", 403):
        operator.sign_page(f"/lots/{started.number}/steps/A3.2/second/")
    assert operator.get(path)["state"] == "performed"
    started.floor.do(line)
    assert operator.get(path)["state"] == "complete"


@pytest.mark.req("REL-02", case="negative")
def test_a_qualified_person_who_performed_a_step_does_not_certify_the_lot(site, started, refused):
    from quality.demo.cast import Cast

    site.give_role("qp2", "Operator")
    started.floor.cast = Cast({**site.cast.people, "operator": site.cast["qp2"]})
    started.floor.do(next(each for each in started.floor.steps() if each["state"] == "waiting" and each["performed_by"] == "operator"))
    with refused("own_work", 403):
        site.cast["qp2"].sign(f"/api/v1/lots/{started.number}/certify/", query={"stage": "final"})
    with refused("own_work", 403):
        site.cast["qp2"].sign_page(f"/lots/{started.number}/release/final/")
