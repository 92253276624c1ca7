"""The demo's people were enabled to sign over HTTP: identity checked by another person, accountability acknowledged by themselves."""

import pytest

from quality.demo.enabling import enable_signing


@pytest.mark.req("SIG-11", case="positive")
def test_everybody_of_the_demo_may_sign_and_was_checked_by_another(running_site):
    cast = running_site.cast
    for username, person in cast.people.items():
        assert person.get("/api/v1/me/")["signing_enabled"] is True
        (check,) = cast["supervisor"].get(f"/api/v1/people/{username}/identity/")
        assert check["checked_by"] == ("supervisor2" if username == "supervisor" else "supervisor")
    before = cast.calls
    enable_signing(cast)  # a second time does nothing but ask
    assert cast.calls == before + len(cast.people)
