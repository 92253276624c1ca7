"""manage.py verify_chain, the file that runs alone, and what the application's own roles cannot do."""

import json
import subprocess
import sys

import psycopg
import pytest
from django.core.management import CommandError, call_command

from tests.mes.verifier.breaks import BREAKS

# --- what the application's role can do: nothing ----------------------------------------------------------------------


@pytest.mark.req("AUD-04", case="negative")
@pytest.mark.req("DI-02", case="negative")
@pytest.mark.parametrize("role", ["DATABASE_URL", "MIGRATE_DATABASE_URL"])
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE mes_securityevent SET kind = 'x'",
        "DELETE FROM mes_securityevent",
        "TRUNCATE mes_securityevent",
        "UPDATE mes_auditentry SET reason = 'x'",
        "DELETE FROM mes_auditentry",
        "TRUNCATE mes_auditentry CASCADE",
        "UPDATE mes_auditrow SET version = 2",
        "UPDATE mes_userhistory SET full_name = 'x'",
        "UPDATE mes_user SET full_name = 'x', version = version + 1",
        "DELETE FROM mes_user",
    ],
)
def test_the_same_statements_are_refused_without_a_superuser(whole, role, statement):
    with whole.database.connect(role) as connection:
        if role == "MIGRATE_DATABASE_URL":
            connection.execute("SET ROLE cartulary_owner")
        connection.execute("SELECT set_config('cartulary.site', %s, true)", [str(whole.place.site.pk)])
        try:
            changed = connection.execute(statement).rowcount
        except psycopg.Error as refused:
            assert refused.sqlstate in ("42501", "CT001", "CT002"), refused  # no right, only added, no deed
        else:
            # Forced row security shows the owner not one row: the statement finds nothing to change.
            assert (role, changed) == ("MIGRATE_DATABASE_URL", 0)
    assert whole.verify().intact


@pytest.mark.req("AUD-06", case="negative")
def test_a_fact_without_a_deed_is_refused(whole):
    with whole.database.connect("DATABASE_URL") as connection:
        connection.execute("SELECT set_config('cartulary.site', %s, true)", [str(whole.place.site.pk)])
        with pytest.raises(psycopg.Error, match="without a deed"):
            connection.execute(
                "INSERT INTO mes_accessevent (id, site_id, by_id, kind, station) VALUES (gen_random_uuid(), %s, %s, 'in', '')",
                [whole.place.site.pk, whole.users["ben"]],
            )


# --- the command and the file -----------------------------------------------------------------------------------------


def command(*words, capsys):
    code = 0
    try:
        call_command("verify_chain", *words)
    except SystemExit as ended:
        code = ended.code
    return code, capsys.readouterr().out


@pytest.mark.req("AUD-07", case="positive")
def test_the_command_says_in_one_line_that_all_is_intact(whole, capsys):
    code, out = command(capsys=capsys)
    assert code == 0
    assert out.strip().endswith("entries, all intact")


@pytest.mark.req("AUD-07", case="negative")
def test_the_command_names_stream_and_row_and_ends_with_one(spoilt, capsys, monkeypatch):
    monkeypatch.setenv("VERIFY_DATABASE_URL", spoilt.database.urls["VERIFY_DATABASE_URL"])
    code, out = command(capsys=capsys)
    assert code == 1
    assert f"{spoilt.stream('value_of_a_version')} #" in out
    assert "edit: mes_qualification " in out
    assert "BROKEN in" in out.splitlines()[-1]
    code, out = command("--json", capsys=capsys)
    told = json.loads(out)
    assert (code, told["intact"]) == (1, False)
    assert {found["stream"] for found in told["first_per_stream"]} - {""} == {spoilt.stream(name) for name in BREAKS}
    assert told["broken"] == sum(told["by_kind"].values())


def test_a_role_that_does_not_see_every_row_is_refused(whole, monkeypatch):
    monkeypatch.setenv("VERIFY_DATABASE_URL", whole.database.urls["DATABASE_URL"])
    with pytest.raises(CommandError, match="does not see every row"):
        call_command("verify_chain")


def test_an_address_that_does_not_answer_is_said(monkeypatch):
    monkeypatch.setenv("VERIFY_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nothing")
    with pytest.raises(CommandError, match="does not answer"):
        call_command("verify_chain")
    monkeypatch.setenv("VERIFY_DATABASE_URL", "")
    with pytest.raises(CommandError, match="VERIFY_DATABASE_URL is missing"):
        call_command("verify_chain")


@pytest.mark.req("AUD-07", case="positive")
def test_the_file_runs_without_the_product(whole, spoilt, tmp_path, capsys):
    target = tmp_path / "cartulary-verify.pyz"
    call_command("build_verifier", output=target)
    digest = capsys.readouterr().out.split()[0]
    call_command("build_verifier", output=tmp_path / "again.pyz")
    assert capsys.readouterr().out.split()[0] == digest  # the same sources, the same bytes

    def run_file(trail, *words):
        url = trail.database.urls["VERIFY_DATABASE_URL"]
        return subprocess.run(
            [sys.executable, "-I", str(target), "--url", url, *words],
            cwd=tmp_path, capture_output=True, text=True, env={"PATH": "/usr/bin"},
        )  # fmt: skip

    done = run_file(whole)
    assert (done.returncode, done.stdout.strip().endswith("all intact")) == (0, True), done.stderr
    done = run_file(spoilt, "--quiet")
    assert done.returncode == 1
    assert f"{spoilt.stream('entry_deleted')} #4: gap" in done.stdout
    assert run_file(spoilt, "--stream", "lot:none").returncode == 2
