"""The access matrix once more, for sessions that still have to prove a second factor: no address opens a right to them."""

from ipaddress import ip_network

import pytest

from mes.people.second_factor import ASKED_FOR, OPEN_BEFORE
from tests.house.source import report
from tests.house.test_access_matrix import ROLES, Caller, cells, gates_only, made, to_sign_in, world  # noqa: F401  (fixtures)

PRIVILEGED = sorted(role for role, (_, permissions) in ROLES.items() if not ASKED_FOR.isdisjoint(permissions))


def test_the_roles_of_a_site_that_administer_or_release_are_asked():
    assert {"administrator", "qa_release"} <= set(PRIVILEGED)
    assert "operator" not in PRIVILEGED


@pytest.mark.req("ACC-03", case="negative")
@pytest.mark.parametrize("network", ["controlled", "outside"])
@pytest.mark.parametrize("role", sorted(set(ROLES) - {"equipment"}))
def test_each_role_with_a_password_alone_is_let_in_nowhere_that_asks_for_the_factor(world, monkeypatch, settings, role, network):  # noqa: F811
    caller = Caller(world, user=world.people[role])
    gates_only(monkeypatch)
    settings.SECOND_FACTOR_AT_SIGN_IN = True
    settings.CONTROLLED_NETWORKS = [ip_network("127.0.0.0/8")] if network == "controlled" else []
    if network == "controlled" and role not in PRIVILEGED:  # all its cells: tests/house/test_access_matrix.py
        assert {caller.call(route, "GET").status_code for route in ("", "me/", "api/v1/me/")} == {204}
        return
    found = {}
    for route, method, needs in cells():
        if needs == "open" or f"/{route}".startswith(OPEN_BEFORE):
            continue
        answer = caller.call(route, method)
        said = answer.json().get("code") if answer["Content-Type"].startswith("application/") else ""
        if not to_sign_in(answer) and not (answer.status_code == 403 and said in ("", "second_factor_needed")):
            found[f"{method} {route}"] = f"answered {answer.status_code}"
    assert not found, report(found, f"As {role}, {network}: a password alone opens no right where a second factor is asked for.")
