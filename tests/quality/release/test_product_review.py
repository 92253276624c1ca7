"""The periodic product review: the figures of a closed period never change, and each names the lots behind it (REC-06)."""

import datetime as dt
import json
import re
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import pytest

from mes.clock import record_now
from mes.errors import UnreadableInput
from quality.analytics.queries import product_review
from quality.analytics.views import period_of
from quality.release import queries, services
from tests.builders.staff import signed_in


def reject(judged, lot):
    why = "Viability below its limit"
    proof = judged.proved("ruth", "ruth", lambda: queries.refusal_subject(judged.fresh_in(lot), "reject", why), "rejected")
    services.reject(by=judged.by("ruth"), lot_id=lot.pk, seen=judged.fresh(lot).version, reason=why, proof=proof)


@pytest.mark.req("REC-06", case="positive")
@pytest.mark.req("REC-06", case="negative")
def test_a_closed_period_gives_the_same_figures_whatever_came_later_and_each_names_its_lots(judged):
    since = record_now()
    good = judged.ready()
    judged.certify(good)
    bad = judged.made()
    judged.tested(bad, viability="61.0")
    judged.assess(bad)
    reject(judged, bad)
    until = record_now()

    def review(end=until, begin=since):
        with judged.reading():
            return product_review(judged.place.site.pk, "judged", begin, end)

    first = review()
    figures = {each.code: each for each in first.figures}
    counted = {code: figures[code].number for code in ("stage_1", "final", "rejected", "withdrawn", "terminated")}
    assert counted == {"stage_1": 1, "final": 0, "rejected": 1, "withdrawn": 0, "terminated": 0}
    assert figures["rejected"].lots == figures["out_of_specification"].lots == [bad.number] and figures["yield"].lots == [good.number]
    assert "61.0" in figures["out_of_specification"].lines[0].detail and "cells" in figures["yield"].lines[0].detail
    assert {good.number, bad.number} >= set(figures["deviations"].lots)
    failed, deviation = figures["out_of_specification"].lines[0], figures["deviations"].lines[0]
    assert failed.words.startswith("Viability") and failed.words.endswith(("does not meet", "above", "below")), failed.words
    assert deviation.words.endswith(("to assess)", "to close)", "closed)", "not classified yet)")) and "_" not in failed.words + deviation.words
    wide = {each.code: each for each in review(begin=since - dt.timedelta(days=1)).figures}
    for code in ("changes", "ordered", "started"):
        assert {good.number, bad.number} <= set(wide[code].lots), "what their lots were made from lies before them"
    assert all(line.lot for each in (*first.figures, *wide.values()) for line in each.lines), "every figure names the lots behind it"

    judged.order()
    judged.tested(judged.made(), viability="60.0")
    again = review()
    assert (again, again.digest) == (first, first.digest), "what came later is of another period"
    assert review(record_now()).digest != first.digest


@pytest.mark.req("REC-06", case="positive")
@pytest.mark.req("REC-06", case="negative")
def test_the_review_is_read_on_a_page_and_over_the_api_and_nothing_of_it_is_written(judged):
    lot = judged.order()
    today = record_now().astimezone(ZoneInfo(judged.place.site.time_zone)).date()
    reviewer, asked = signed_in(judged.users["quinn"]), {"product": "judged", "first": today.isoformat(), "last": today.isoformat()}
    page = reviewer.get(f"/product-review/?{urlencode(asked)}").content.decode()
    told = json.loads(reviewer.get(f"/api/v1/product-review/?{urlencode(asked)}").content)
    ordered = told["figures"][0]
    assert (ordered["code"], ordered["number"]) == ("ordered", len(ordered["lots"])) and lot.number in ordered["lots"]
    assert f"Lots ordered: {ordered['number']}" in page and lot.number in page and told["digest"] in page and "This period is not over." in page
    assert '<option value="judged" selected>' in page and "(judged)</option>" in page
    assert "+00:00" not in re.sub(r"<[^>]+>", "", page), "times stand in the zone of the site"
    assert "The last day lies before the first one" in reviewer.get("/product-review/", asked | {"last": "2020-01-01"}).content.decode()
    for at in ("/product-review/", "/api/v1/product-review/"):
        assert reviewer.post(at, asked, content_type="application/json").status_code == 405
    assert signed_in(judged.users["maya"]).get("/product-review/").status_code == 403
    with pytest.raises(UnreadableInput):
        period_of("yesterday", "today", "UTC")
