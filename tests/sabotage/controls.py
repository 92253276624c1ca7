"""The controls that the sabotage run takes away, one by one, and the requirement whose tests have to notice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.sabotage.removing import answer, code, database, on_tables, silent, without_line, without_trigger


@dataclass(frozen=True)
class Control:
    """One control: what it does in words, how it is taken away, and where it has to be missed."""

    name: str
    words: str
    requirement: str
    files: str
    """Files of tests, by spaces; of them, the tests that carry the requirement's mark are run."""
    away: Callable[[], object]


GUARDS, DOOR, PAGES = "tests/mes/records/test_guards.py", "tests/mes/records/test_door.py", "tests/mes/signatures/test_pages.py"
SIGN, STEPS, RELEASE = "tests/mes/signatures/test_services.py", "tests/batches/execution/test_services.py", "tests/quality/release/test_services.py"
ACCESS, PAST, TRAIL = "tests/mes/people/test_access.py", "tests/attack/test_past.py", "tests/mes/audit/test_trail.py"
ENTRY, AUDIT_ROW = "c.relname = 'mes_auditentry'", "c.relname = 'mes_auditrow'"


def _spend_without_end(original):
    def spend(intent_id):
        from mes.signatures.models import SigningIntent

        return SigningIntent.objects.select_for_update().get(pk=intent_id)

    return spend


def _code_used_again(original):
    def use(factor, typed):
        from mes.people import totp
        from mes.people.models import UsedCode

        step = totp.matching_step(totp.unseal(factor.secret), typed)
        while UsedCode.objects.filter(factor=factor, time_step__gte=step).exists():
            step += 1
        used = UsedCode(site_id=factor.site_id, by_id=factor.user_id, factor=factor, time_step=step)
        used.save()
        return used

    return use


def _same_answer(original):
    """Headers as the view left them."""
    return lambda self, request: self.get_response(request)


def _open_fetcher(original):
    def document(html):
        import weasyprint

        return weasyprint.HTML(string=html).render()

    return document


CONTROLS = (
    # the database
    Control("guard_change", "the trigger that refuses changes of facts, history and trail", "AUD-05", GUARDS, without_trigger("guard_change")),
    Control("guard_remove", "the trigger that refuses to delete a record", "AUD-05", GUARDS, without_trigger("guard_remove")),
    Control("guard_truncate", "the trigger that refuses to empty a table", "AUD-05", GUARDS, without_trigger("guard_truncate")),
    Control("guard_write", "the trigger that refuses a row without a deed", "AUD-06", GUARDS, without_trigger("guard_write", f"NOT ({ENTRY} OR {AUDIT_ROW})")),
    Control("guard_sealed", "the check at the commit that every row is cited by the trail", "AUD-01", GUARDS, without_trigger("guard_sealed")),
    Control("guard_entry", "the trigger that checks sequence and hash of the trail", "AUD-07", TRAIL, without_trigger("guard_write", ENTRY)),
    Control("guard_audit_row", "the trigger that refuses a cited row without a deed", "AUD-06", TRAIL, without_trigger("guard_write", AUDIT_ROW)),
    Control("row_security", "row security, which keeps sites apart", "ACC-02", GUARDS, on_tables("ALTER TABLE %1$I DISABLE ROW LEVEL SECURITY")),
    Control("row_security_forced", "row security for the owner too", "AUD-05", GUARDS, on_tables("ALTER TABLE %1$I NO FORCE ROW LEVEL SECURITY")),
    Control("grants", "the application's want of rights to change facts", "AUD-06", PAST, on_tables("GRANT UPDATE, DELETE ON %1$I TO cartulary_app")),
    Control(
        "clock", "the database's refusal to shift record time at a real site", "AUD-05", PAST,
        database("ALTER TABLE mes_site DISABLE TRIGGER USER; CREATE OR REPLACE FUNCTION guard.clock_offset() RETURNS interval LANGUAGE sql STABLE SECURITY "
                 "DEFINER AS $$ SELECT coalesce((SELECT max(\"offset\") FROM public.mes_simulatedclock), interval '0') $$"),
    ),
    # the door
    Control("append", "the trail, which the door appends to as its last act", "AUD-01", DOOR, code("mes.audit.trail.append", answer([]))),
    Control("refusals_kept", "the security event of a refused attempt", "AUD-09", ACCESS, code("mes.records.door.record_refusal", answer())),
    # signing
    Control("intent_used", "the end of an intent with its one signature", "SIG-03", f"{PAGES} {SIGN}", code("mes.signatures.ceremony.spend", _spend_without_end)),
    Control("intent_expiry", "the five minutes of an intent", "SIG-03", PAGES, code("mes.signatures.ceremony._check_intent", silent("intent_expired"))),
    Control("intent_station", "the intent's station and session", "SIG-03", PAGES, code("mes.signatures.ceremony._check_intent", silent("intent_of_another"))),
    Control("intent_record", "the intent's record and meaning", "SIG-05", SIGN, code("mes.signatures.rules.check_can_sign", silent("intent_of_other_record"))),
    Control("intent_digest", "the digest of what was shown", "SIG-15", f"{SIGN} {PAGES}", code("mes.signatures.rules.check_can_sign", silent("stale_screen"))),
    Control("only_people_sign", "the refusal of devices and jobs as signers", "SIG-16", SIGN, code("mes.signatures.rules.check_can_sign", silent("only_people_sign"))),
    Control("second_factor", "the one-time code of certifying meanings", "ACC-03", PAGES, code("mes.signatures.ceremony._second_factor", answer())),
    Control("used_code", "the single use of a one-time code", "ACC-03", PAGES, code("mes.people.services.credentials._use", _code_used_again)),
    Control("tries_counted", "the count of wrong secrets", "SIG-12", f"{ACCESS} {PAGES}", code("mes.people.services.access.begin_try", answer(5))),
    Control("lock_out", "the lock itself", "SIG-12", f"{ACCESS} {PAGES}", code("mes.people.rules.is_locked", answer(False))),
    # the session
    Control("idle_lock", "the cover after idle time", "ACC-05", ACCESS, code("mes.people.session.is_covered", answer(False))),
    Control("csrf", "the cross-site check of posted forms", "ACC-02", "tests/attack/test_signing.py",
            code("django.middleware.csrf.CsrfViewMiddleware.process_view", answer())),
    Control("page_right", "the right that a page asks for", "ACC-02", "tests/mes/people/test_register.py", code("mes.web.pages.Page.check_may_open", answer())),
    Control("api_right", "the right that the API asks for", "ACC-02", "tests/mes/api/test_views.py", code("mes.people.api_gate.check_may", answer())),
    # the floor
    Control("step_order", "the order of steps", "EXE-01", STEPS, code("batches.execution.rules.steps.check_can_open_step", answer())),
    Control("training", "the training gate", "ACC-08", STEPS, code("mes.people.rules.check_qualified", answer())),
    Control("second_person", "the second person being another", "SIG-09", STEPS, code("batches.execution.rules.people.check_second_person", answer())),
    Control("step_complete", "the refusal to sign an unfinished step", "EXE-08", STEPS, code("batches.execution.rules.steps._check_ready", answer())),
    Control("first_value", "the refusal of a second first value", "EXE-03", STEPS, code("batches.execution.rules.entries.check_saw", answer())),
    Control("typed_alone", "the second person for a typed identifier", "COI-03", "tests/attack/test_identity.py",
            code("batches.execution.rules.steps.check_can_type_identifier", answer())),
    Control("material_usable", "the check of material at its use: released, not expired", "MAT-01", "tests/batches/execution/test_scans.py tests/batches/materials/test_services.py",
            code("batches.materials.rules.check_usable", answer())),
    Control("occupancy", "one lot at a time in a unit", "MAT-04", "tests/batches/execution/test_scans.py",
            code("batches.equipment.rules.check_fit", silent("occupied_by_another_lot"))),
    Control("starting_material", "the decision on starting material before manufacture", "COI-09", STEPS, code("batches.execution.rules.steps.check_lot_can_go_on", answer())),
    # release
    Control("releaser", "the refusal of release by who made or tested the lot", "REL-02", RELEASE, code("quality.release.rules.check_releaser", answer())),
    Control("dispatch", "certification before dispatch", "REL-06", RELEASE, code("quality.release.rules.check_may_leave", answer())),
    Control("identity", "the two-person match of bag and patient", "COI-05", RELEASE, code("quality.release.rules.check_identity", answer())),
    *(Control(f"gate_{name}", f"the gate's line of {name}", requirement, RELEASE, without_line(name))
      for name, requirement in {"results": "REL-01", "review": "REL-01", "deviations": "REL-01", "holds": "REL-01", "labels": "REL-01", "trail": "AUD-07"}.items()),
    # finding afterwards
    Control("verifier_links", "the verifier's check of the links", "AUD-07", "tests/mes/verifier/test_verify.py", code("mes.verifier.chain._order", answer())),
    Control("verifier_rows", "the verifier's check of rows against their digests", "AUD-07", "tests/mes/verifier/test_verify.py",
            code("mes.verifier.rows.RowCheck._rows", answer())),
    Control("checkpoint_signature", "the check of the checkpoint's signature", "AUD-08", "tests/mes/verifier/test_anchors.py tests/mes/checkpoints/test_notes.py",
            code("mes.verifier.anchors.is_signed", answer(True))),
)  # fmt: skip
