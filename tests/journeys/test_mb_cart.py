"""MB-CART20.1: the first days with one value outside its limits and the decision of day 5; the whole lot behind --long."""

import pytest


@pytest.mark.req("EXE-01", case="positive")
@pytest.mark.req("DEV-01", case="positive")
def test_the_first_days_run_to_the_decision_of_day_5_and_an_excursion_gets_one_deviation_and_one_alert(mb_site, mb_lot):
    done = {line["key"]: line["state"] for line in mb_lot.floor.steps()}
    assert done["A8.5"] == "complete" and done["A8.6"] == "waiting"
    assert sum(state == "complete" for state in done.values()) == list(done).index("A8.5") + 1 >= 45
    decided = mb_site.cast["operator"].get(mb_lot.floor.path("A8.5"))
    assert [each["value"] for each in decided["entries"] if each["parameter"] == "day5_total_car"] == ["4.32e8"]

    deviations = mb_lot.judging.deviations()
    assert [(each["kind"], each["classification"]) for each in deviations] == [("excursion", "minor")]
    assert deviations[0]["title"] == "Chamber temperature 38.4 degC: 0.4 above the upper limit of 38 degC."
    alerts = [each for each in mb_site.cast["supervisor"].get("/api/v1/alerts/", all=1) if each["cause"] == f"deviation:{deviations[0]['id']}"]
    assert [(each["severity"], "supervisor" in each["roles"]) for each in alerts] == [("notice", True)]
    results = {line["criterion"]: line["verdict"] for line in mb_lot.laboratory.lines()}
    assert (results["identity_d5"], results["dose_d5"]) == ("meets", "report_only")


@pytest.mark.long
def test_a_whole_lot_of_mb_cart20_1_is_made_certified_infused_and_closed(mb_site):
    from quality.demo import comparing

    work = mb_site.work(product="mb_cart20_1", data="DEMO/MB/01", key="whole", din="X999926000903")
    mb_site.run(work)
    lines = work.floor.steps()
    assert len(lines) >= 60 and {line["state"] for line in lines} == {"complete"}
    assert work.judging.state() == "certified_final"
    assert [each["valid"] for each in work.judging.certificates(2)] == [False, True]
    evidence = mb_site.cast["qp"].get(f"{work.judging.lot}evidence/")
    final = comparing.certificate_in(evidence)
    assert comparing.check_stream(evidence) == [] and comparing.unmarked(final, work.data) == []
    assert {each["standing"] for each in final["results"]} == {"met", "reported"}
    entries = [each for line in lines for each in mb_site.cast["operator"].get(work.floor.path(line["key"]))["entries"]]
    assert len(entries) >= 250
    assert [each["state"] for each in work.judging.final_bags()] == ["infused"]
