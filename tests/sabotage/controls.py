"""The controls that the sabotage run takes away, one by one, and the tests that have to notice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.sabotage import particular
from tests.sabotage.removing import alone, answer, code, on_tables, rewritten, silent, without_line, without_trigger


@dataclass(frozen=True)
class Control:
    """One control: what it does in words, how it is taken away, and where it has to be missed."""

    name: str
    words: str
    requirement: str
    """One id, or several by spaces: a test has to carry the mark of one of them. Or ASVS- and a number: asvs.yaml has to name the test there."""
    tests: str
    """Files of tests, by spaces; behind `::` a part of the names of the tests."""
    away: Callable[[], object]

    @property
    def in_database(self) -> bool:
        return getattr(self.away, "in_database", False)

    @property
    def of_asvs(self) -> str:
        """The number of OWASP ASVS, where no requirement of ours asks for the control."""
        return self.requirement.removeprefix("ASVS-") if self.requirement.startswith("ASVS-") else ""

    @property
    def files(self) -> list[str]:
        return [each.partition("::")[0] for each in self.tests.split()]

    def names(self, item) -> bool:
        """Whether this test is one of the control's."""
        if not self.of_asvs and not any(mark.args[0] in self.requirement.split() for mark in item.iter_markers("req")):
            return False
        wanted = (each.partition("::") for each in self.tests.split())
        return any(item.location[0] == file and part in item.originalname for file, _, part in wanted)


GUARDS, DOOR, PAGES = "tests/mes/records/test_guards.py", "tests/mes/records/test_door.py", "tests/mes/signatures/test_pages.py"
SIGN, STEPS, RELEASE = "tests/mes/signatures/test_services.py", "tests/batches/execution/test_services.py", "tests/quality/release/test_services.py"
ACCESS, TRAIL, GATE = "tests/mes/people/test_access.py", "tests/mes/audit/test_trail.py", "tests/quality/release/test_gate.py"
SCANS, MATERIALS, EQUIPMENT = "tests/batches/execution/test_scans.py", "tests/batches/materials/test_services.py", "tests/batches/equipment/test_services.py"
PASSKEYS, GUESSING = "tests/mes/signatures/test_passkeys.py", "tests/mes/signatures/test_guessing.py"
HOUSE, CLOCK, EMERGENCY = "tests/house/test_guards.py", "tests/mes/signatures/test_clock.py", "tests/mes/access/test_emergency.py"
DUTIES, HOLDS, API = "tests/mes/access/test_services.py", "tests/batches/lots/test_trail_holds.py", "tests/mes/api/test_views.py"
APART, KEPT = "tests/mes/access/test_duties.py", "tests/quality/release/test_record_kept.py"
BROKEN, MARKED, STAMPS = "tests/quality/release/test_integrity.py", "tests/quality/alerts/test_trail_check.py", "tests/mes/verifier/test_timestamps.py"
DEPUTIES, LABELS, RACES = "tests/mes/signatures/test_deputies.py", "tests/batches/custody/test_services.py", "tests/mes/signatures/test_order_races.py"
PACKAGES = "tests/mes/commands/test_audit_dependencies.py"
ENTRY, AUDIT_ROW = "c.relname = 'mes_auditentry'", "c.relname = 'mes_auditrow'"

SITE = "EXISTS (SELECT 1 FROM pg_policies p WHERE p.tablename = c.relname AND p.policyname = 'site')"

IN_THE_DATABASE = (
    Control("duties_apart", "the trigger that gives nobody two duties that are kept apart", "ACC-07", f"{APART}::no_statement {APART}::same_moment",
            without_trigger("guard_duties")),
    Control("duties_wait", "the lock by which roles given at one moment wait for each other", "ACC-07", f"{APART}::same_moment",
            rewritten("guard.duties_apart", "PERFORM pg_advisory_xact_lock(hashtextextended('cartulary duties ' || NEW.site_id::text, 0));", "")),
    Control("guard_change", "the trigger that refuses changes of facts, history and trail", "AUD-04 AUD-05", f"{GUARDS}::nobody_changes {GUARDS}::replica",
            without_trigger("guard_change")),
    Control("guard_remove", "the trigger that refuses to delete a record", "AUD-04", f"{GUARDS}::nobody_changes", without_trigger("guard_remove")),
    Control("guard_truncate", "the trigger that refuses to empty a table", "AUD-04", f"{GUARDS}::nobody_changes", without_trigger("guard_truncate")),
    Control("guard_write", "the trigger that refuses a row without a deed", "AUD-06", f"{GUARDS}::without_a_deed {GUARDS}::token_of_a_deed",
            without_trigger("guard_write", "c.relname NOT IN ('mes_auditentry', 'mes_auditrow')")),
    Control("guard_write_always", "the guards' firing for whoever plays replica", "AUD-05", f"{GUARDS}::replica",
            on_tables("ALTER TABLE %1$I ENABLE TRIGGER USER")),
    Control("guard_sealed", "the check at the commit that every row is cited by the trail", "AUD-01", f"{GUARDS}::without_its_audit_row",
            without_trigger("guard_sealed")),
    Control("history_row", "the check at the commit that a changed record has one version row", "AUD-01", f"{GUARDS}::without_its_version",
            rewritten("guard.sealed\\_%", "found_rows <> 1", "false")),
    Control("history_same", "the check at the commit that the version row says what the record says", "AUD-01", f"{GUARDS}::says_something_else",
            rewritten("guard.sealed\\_%", "<> to_jsonb(NEW) - 'tx'", "IS NULL")),
    Control("history_said", "the check at the commit that the version row names who, when and why as its entry does", "AUD-06",
            f"{GUARDS}::names_another_person", rewritten("guard.sealed\\_%", "found_rows = 1", "false")),
    Control("history_cited", "the check at the commit that a version row is cited by the trail", "AUD-01", f"{GUARDS}::version_without_its_audit_row",
            without_trigger("guard_sealed", "c.relname LIKE '%history'")),
    Control("sealed_now", "the check that the cited row is of this very transaction", "AUD-01", f"{GUARDS}::earlier_transaction",
            rewritten("guard.fact_is_sealed", "AND a.tx = pg_current_xact_id()", "")),
    Control("entry_of_now", "the check that an audit row hangs onto an entry of the same deed", "AUD-06", f"{GUARDS}::hangs_onto",
            rewritten("guard.before_audit_row", "AND e.tx = pg_current_xact_id()", "")),
    Control("deed_of_now", "the token's end with its transaction", "AUD-06", f"{GUARDS}::token_of_a_deed",
            rewritten("guard.deed_is_open", "= (pg_current_xact_id())::text", "<> 'none'")),
    Control("given_time", "the database's own time on every fact, whatever is sent", "AUD-13", f"{GUARDS}::as_sent",
            rewritten("guard.before_fact", "NEW.recorded_at := guard.record_now();", "")),
    Control("entry_hash", "the check that an entry's hash is that of its bytes", "AUD-07", f"{TRAIL}::not_that_of_the_bytes",
            rewritten("guard.before_entry", "NEW.hash <> sha256(", "NULL::bytea <> sha256(")),
    Control("entry_follows", "the check that an entry follows the one before", "AUD-07", f"{TRAIL}::gap {TRAIL}::another_predecessor",
            rewritten("guard.before_entry", "NOT FOUND OR before.hash <> NEW.prev_hash", "false")),
    Control("entry_begins", "the check that a stream begins from nothing", "AUD-07", f"{TRAIL}::begins_in_the_middle",
            rewritten("guard.before_entry", "NEW.prev_hash <> decode(repeat('00', 32), 'hex')", "false")),
    Control("entry_time", "the check that time in a stream does not run backwards", "AUD-13", f"{TRAIL}::backwards",
            rewritten("guard.before_entry", "NEW.at < before.at", "false")),
    Control("entry_now", "the check that an entry is of now", "AUD-13", f"{TRAIL}::not_now", rewritten("guard.before_entry",
            "NEW.at > guard.record_now() OR", "false AND")),
    Control("guard_audit_row", "the trigger that refuses a cited row without a deed", "AUD-06", f"{TRAIL}::without_a_deed",
            without_trigger("guard_write", AUDIT_ROW)),
    Control("row_security", "row security, which keeps sites apart", "ACC-02", f"{GUARDS}::site", on_tables("ALTER TABLE %1$I DISABLE ROW LEVEL SECURITY")),
    Control("site_policy", "the condition of row security: one's own site", "ACC-02", f"{GUARDS}::site",
            on_tables("ALTER POLICY site ON %1$I USING (true) WITH CHECK (true)",
            SITE)),
    Control("no_site_no_rows", "that without a site nothing is seen", "ACC-02", f"{GUARDS}::without_a_site",
            on_tables("ALTER POLICY site ON %1$I USING (guard.current_site() IS NULL OR site_id = guard.current_site())", SITE)),
    Control("row_security_forced", "row security for the owner of the tables too", "ACC-02", f"{GUARDS}::owner {HOUSE}::forced",
            on_tables("ALTER TABLE %1$I NO FORCE ROW LEVEL SECURITY")),
    Control("grants", "the application's want of rights to change facts", "AUD-04", f"{HOUSE}::grants",
            on_tables("GRANT UPDATE, DELETE ON %1$I TO cartulary_app")),
    Control("reader_grants", "that the reader's and the verifier's roles write nothing", "DI-05", f"{GUARDS}::reader_and_the_verifier",
            on_tables("GRANT INSERT ON %1$I TO cartulary_reader, cartulary_verifier")),
    Control("clock", "the database's refusal to shift record time at a real site", "AUD-13", f"{GUARDS}::site_is_real",
            rewritten("guard.record_now", "IF EXISTS (SELECT 1 FROM public.mes_site WHERE NOT demo) THEN RETURN clock_timestamp(); END IF;", "")),
)  # fmt: skip

SIGNING = (
    Control("append", "the trail, which the door appends to as its last act", "AUD-01", f"{DOOR}::together {DOOR}::cannot_be_written",
            code("mes.audit.trail.append", particular.nothing_of_roles)),
    Control("refusals_kept", "the security event of a refused attempt", "AUD-09", f"{ACCESS}::security_event {DOOR}::survives",
            code("mes.records.door.record_refusal", answer())),
    Control("write_in_a_deed", "the refusal to save outside a service", "AUD-06", f"{DOOR}::outside_a_service",
            code("mes.records.collector.require_deed", particular.any_deed)),
    Control("intent_used", "the end of an intent with its one signature", "SIG-03", f"{SIGN}::signs_once",
            code("mes.signatures.ceremony.spending", particular.spend_without_end)),
    Control("intent_expiry", "the five minutes of an intent", "SIG-03", f"{PAGES}::five_minutes",
            code("mes.signatures.ceremony._check_intent", silent("intent_expired"))),
    Control("intent_station", "the intent's station and session", "SIG-03", f"{PAGES}::another_session {PAGES}::another_station",
            code("mes.signatures.ceremony._check_intent", silent("intent_of_another"))),
    Control("intent_record", "the intent's record and meaning", "SIG-05", f"{SIGN}::signs_no_other",
            code("mes.signatures.rules.check_can_sign", silent("intent_of_other_record"))),
    Control("intent_digest", "the digest of what was shown", "SIG-15", f"{SIGN}::not_signed {PAGES}::not_signed",
            code("mes.signatures.rules.check_can_sign", silent("stale_screen"))),
    Control("only_people_sign", "the refusal of devices and jobs as signers", "SIG-16", f"{SIGN}::job_or_device",
            code("mes.signatures.rules.check_can_sign", silent("only_people_sign"))),
    Control("device_signs", "the refusal of a device's token at signing over the API", "SIG-16", "tests/mes/signatures/test_api.py::device_token",
            code("mes.signatures.api.PreparingView.check_permissions", particular.anybody_at_the_signing_view)),
    Control("meaning_and_role", "the roles listed for each meaning", "SIG-07", "tests/mes/signatures/test_meanings.py::a_right_that",
            code("mes.signatures.rules.check_meaning_and_role", answer())),
    Control("signature_order", "the order of signatures on a record", "SIG-08", "tests/mes/signatures/test_meanings.py::comes_second",
            code("mes.signatures.rules.check_order", answer())),
    Control("stopped_at_deed", "the deed's own look whether the signer was locked out meanwhile", "SIG-12", "tests/attack/test_signing.py::is_stopped",
            code("mes.signatures.rules.check_not_stopped", answer())),
    Control("signing_enabled", "the three records before anybody may sign", "SIG-11", "tests/mes/signatures/test_enabling.py::nobody_signs",
            code("mes.people.rules.check_signing_enabled", answer())),
    Control("clock_drift", "the refusal to sign where the clock is wrong", "AUD-13", f"{CLOCK}::beyond_the_limit",
            code("mes.signatures.ceremony._check_clock", answer())),
    Control("clock_drift_told", "readiness, which tells a clock that drifted", "AUD-13", f"{CLOCK}::readiness", code("mes.clock.has_drifted", answer(False))),
    Control("second_factor", "the one-time code of certifying meanings", "ACC-03", f"{PAGES}::without_a_code",
            code("mes.signatures.ceremony._second_factor", answer())),
    Control("passkey_challenge", "the binding of a passkey's answer to the page and the content", "SIG-02 SIG-05",
            f"{PASSKEYS}::for_another_page {PASSKEYS}::for_other_content", code("mes.passkeys.webauthn._check_challenge", answer())),
    Control("passkey_verified", "the check that the passkey's device knew whose it was", "SIG-02", f"{PASSKEYS}::elsewhere_or_by_nobody",
            code("mes.passkeys.webauthn._check_verified", answer())),
    Control("passkey_owner", "the check that the passkey is the signer's own", "SIG-02", f"{PASSKEYS}::of_another_person",
            code("mes.passkeys.proving.check_owner", answer())),
    Control("passkey_in_use", "the refusal of a passkey that was retired", "SIG-13", f"{PASSKEYS}::retired_passkey {PASSKEYS}::between_proof_and_deed",
            code("mes.passkeys.proving.check_in_use", answer())),
    Control("passkey_counts", "the refusal of an answer that was used, and of a counter that does not grow", "SIG-13 SIG-02",
            f"{PASSKEYS}::counter_that_does_not {PASSKEYS}::sent_twice",
            code("mes.passkeys.services.count_up", answer(""))),
    Control("passkey_two", "the rule that who retired an authenticator does not check who enrols a passkey", "SIG-10",
            "tests/mes/passkeys/test_enrolment.py::who_retired", code("mes.passkeys.rules.check_can_enrol_passkey", silent("same_person"))),
    Control("used_code", "the single use of a one-time code", "ACC-03", f"{PAGES}::code_that_was_used",
            code("mes.people.services.credentials._use", particular.code_used_again)),
    Control("tries_counted", "the count of wrong secrets", "SIG-12", f"{PAGES}::five_wrong {ACCESS}::five_wrong",
            code("mes.people.services.access.begin_try", answer(5))),
    Control("lock_out", "the lock itself", "SIG-12", f"{SIGN}::locked", code("mes.people.rules.is_locked", answer(False))),
    Control("page_used_once", "the end of a page with one of two reasons sent at the same moment", "SIG-03", f"{RACES}::two_reasons",
            code("mes.signatures.ceremony._use_up", answer(True))),
    Control("own_intent", "that each of two signers was shown it in a session of their own", "SIG-15", "tests/quality/release/test_views.py::dispatch_and_use",
            code("mes.signatures.ceremony._check_begun_by", answer())),
    Control("reason_signed", "the reason in the content that is signed", "SIG-06", "tests/batches/lots/test_services.py::given_for_one_reason",
            code("batches.lots.queries.course_content", particular.reason_left_out)),
    Control("lent_on", "the refusal of a deputy of a deputy", "SIG-14", f"{DEPUTIES}::not_lent_on",
            code("mes.signatures.rules._check_lends_own", silent("role_lent"))),
    Control("lent_elsewhere", "the end of what a closed account lent at another site", "SIG-14", f"{DEPUTIES}::at_another_site",
            code("mes.people.services.register._end_what_was_lent", answer())),
    Control("seal_key", "the refusal to make a new sealing key in silence", "SIG-17", "tests/mes/signatures/test_seals.py::key_is_gone",
            code("mes.signatures.seal_keys.seal_key", particular.key_made_anew)),
)  # fmt: skip

ENTERING = (
    Control("sign_in_throttle", "the slowing down of who guesses at the sign-in", "SIG-12", f"{ACCESS}::slowed_down",
            code("mes.people.services.access.begin_sign_in", answer())),
    Control("signing_throttle", "the slowing down of who guesses at unknown names where people sign", "SIG-12", f"{GUESSING}::one_session {GUESSING}::covered",
            code("mes.people.services.access.begin_in_vain", answer())),
    Control("held_up_alike", "that who is held up is told nothing of known names either", "ACC-02", f"{GUESSING}::known_and_unknown",
            code("mes.people.services.access.check_not_held_up", answer())),
    Control("secrets_told", "the notice to its owner that a secret changed", "ASVS-6.3.7", "tests/quality/alerts/test_secrets.py::the_owner",
            code("quality.alerts.services.note_secret_change", answer())),
    Control("factor_of_others", "the second factor, outside, of who signs in another person's session", "ACC-03",
            "tests/mes/signatures/test_outside.py::pin_alone tests/quality/release/test_outside.py::pin_alone",
            code("mes.people.second_factor.is_asked_of_others", answer(False))),
    Control("factor_at_sign_in", "the second factor before a session may do anything", "ACC-03",
            "tests/mes/people/test_second_factor.py::password_alone tests/mes/people/test_second_factor.py::code_goes_with",
            code("mes.people.second_factor.is_missing", answer(False))),
    Control("sign_in_passkey", "the check of what a passkey answered at sign-in", "ACC-03",
            "tests/mes/passkeys/test_sign_in.py::proves_something_else tests/mes/passkeys/test_sign_in.py::fits_its_own",
            code("mes.passkeys.webauthn.check_assertion", answer())),
    Control("vouching", "the second factor of who vouches for somebody else's", "ACC-03",
            "tests/mes/people/test_second_factor.py::two_passwords tests/mes/people/test_second_factor.py::vouches_with",
            code("mes.people.second_factor.check_witness", answer())),
    Control("site_choice_cover", "the cover before the choice of another site", "ACC-05", "tests/mes/people/test_choose_site_cover.py",
            code("mes.people.views.access.ChooseSitePage.is_under_cover", answer(False))),
    Control("passkey_enrolled", "the comparison of a proof's key with the one that was enrolled", "SIG-05 SIG-17", "tests/mes/verifier/test_passkeys.py",
            code("mes.verifier.seals._is_enrolled", answer(True))),
    Control("enrolled_in_evidence", "the same in an evidence file, checked alone", "SIG-05 SIG-17", "tests/quality/release/test_enrolments.py::never_enrolled",
            code("mes.verifier.enrolments._is_enrolled", answer(True))),
    Control("enrolment_checked", "the record in evidence that a second person checked who enrolled", "SIG-05 SIG-17",
            "tests/quality/release/test_enrolments.py::touched", code("mes.verifier.enrolments._is_check", answer(True))),
    Control("volume_unbounded", "the words for an infused volume that nothing bounds", "REL-06", "tests/quality/release/test_volume.py::nothing_bounds",
            code("quality.release.rules.check_infusion", silent("volume_unbounded"))),
    Control("outside_networks", "the networks from which a second factor is asked of everybody", "ACC-03",
            "tests/mes/people/test_second_factor.py::password_alone tests/mes/people/test_second_factor.py::moves_outside",
            code("mes.people.second_factor.is_outside", answer(False))),
    Control("witness_throttle", "the slowing down of who guesses the witness's password", "SIG-12", "tests/mes/people/test_register.py::guesses_the_witness",
            code("mes.people.session.sign_in", particular.witness_at_once)),
    Control("refusals_searched", "the search of refused attempts", "AUD-09", "tests/batches/lots/test_trail_pages.py::found_by_person",
            code("mes.inspection.refusals.refused", particular.every_refusal)),
    Control("demo_alone", "the lock by which one demo works in a folder", "DI-02", "tests/quality/management/test_demo_alone.py",
            code("quality.management.commands.demo.Command.alone", particular.unlocked)),
    Control("same_time", "the hash that is checked for an unknown name too", "ACC-02", f"{ACCESS}::hash_checks",
            code("mes.people.backends.PasswordBackend.authenticate", particular.nobody_is_nobody)),
    Control("idle_lock", "the cover after idle time", "ACC-05", f"{ACCESS}::idle", code("mes.people.session.is_covered", answer(False))),
    Control("ended_session", "that a session which was ended while its cover is lifted stays ended", "ACC-06",
            "tests/mes/people/test_sessions.py::stays_ended", code("mes.people.session.uncover", particular.uncovered_anyway)),
    Control("longest_session", "the end of a session after its longest time", "ACC-05", f"{ACCESS}::longest",
            code("mes.people.session.is_over", answer(False))),
    Control("csrf", "the cross-site check of posted forms", "ACC-02", f"{API}::csrf",
            code("django.middleware.csrf.CsrfViewMiddleware.process_view", answer())),
    Control("content_policy", "the content security policy of every answer", "DI-03", "tests/mes/web/test_pages.py::script",
            code("mes.web.csp.SecurityHeaders.__call__", particular.no_headers)),
    Control("pdf_fetcher", "the renderer's refusal of every address outside the page", "REC-01", "tests/mes/web/test_pdf.py::outside",
            code("mes.web.pdf._document", particular.open_fetcher)),
    Control("page_right", "the right that a page asks for", "ACC-02", "tests/mes/people/test_register.py::operator",
            code("mes.web.pages.Page.check_may_open", answer())),
    Control("api_right", "the right that the API asks for", "ACC-02", f"{API}::without_the_right", code("mes.people.api_gate.check_may", answer())),
    Control("idempotency", "the key by which a repeated request is done once", "API-04", "tests/mes/api/test_idempotency.py",
            code("mes.api.idempotency.once", particular.every_time)),
    Control("device_token", "the secret behind the beginning of a device's token", "API-01", f"{API}::token",
            code("mes.people.device_auth.credential_of", particular.any_token)),
    Control("device_token_time", "the comparison that an unknown token costs too", "API-01", f"{API}::same_comparison",
            code("mes.people.device_auth.credential_of", particular.token_at_once)),
    Control("conflict_at_grant", "the refusal of duties that are kept apart, when a role is given", "ACC-07", f"{DUTIES}::every_conflicting_pair",
            code("mes.people.rules.check_role_fits", answer())),
    Control("conflict_at_use", "the refusal of duties that came together, at every use", "ACC-07", f"{APART}::brought_together",
            code("mes.people.rules.check_apart", answer())),
    Control("emergency_two", "the second person who opens access for an emergency", "ACC-09", f"{EMERGENCY}::one_person_alone",
            code("mes.access.rules.check_can_approve_emergency_access", silent("same_person"))),
    Control("emergency_end", "the hour at which access for an emergency ends", "ACC-09", f"{EMERGENCY}::ends_by_itself",
            code("mes.people.rules.live_grants", particular.grants_without_end)),
    Control("emergency_no_signing", "that emergency access signs nothing", "ACC-09", f"{EMERGENCY}::could_sign",
            code("mes.access.rules._check_without_signing", answer())),
    Control("known_passwords", "the refusal of passwords known from breaches", "ACC-04", "tests/mes/people/test_passwords.py::weak",
            code("mes.people.passwords.is_known", answer(False))),
)  # fmt: skip

ON_THE_FLOOR = (
    Control("step_order", "the order of steps", "EXE-01", f"{STEPS}::out_of_order",
            code("batches.execution.rules.steps.check_can_open_step", silent("step_not_next"))),
    Control("line_clearance", "the line clearance before any step of a day", "EXE-01", f"{STEPS}::line_is_cleared",
            code("batches.execution.rules.steps.check_can_open_step", silent("line_clearance_missing"))),
    Control("training", "the training gate", "ACC-08", f"{STEPS}::untrained", code("mes.people.rules.check_qualified", answer())),
    Control("second_person", "the second person being another", "SIG-09", f"{STEPS}::second_person",
            code("batches.execution.rules.people.check_second_person", answer())),
    Control("second_did_not_record", "the second person having recorded nothing of the step", "SIG-09", f"{STEPS}::recorded_no_value",
            code("batches.execution.rules.people._worked_on", answer(False))),
    Control("step_complete", "the refusal to sign an unfinished step", "EXE-08", f"{STEPS}::too_early",
            code("batches.execution.rules.steps._check_ready", answer())),
    Control("first_value", "the refusal of a second first value", "EXE-03", f"{STEPS}::value_twice",
            code("batches.execution.rules.entries.check_saw", answer())),
    Control("attempts_kept", "the keeping of what was typed and is no value", "EXE-04",
            f"{STEPS}::kept_as_an_attempt", lambda: particular.attempts_not_kept()),
    Control("correction_two", "the second person of a correction", "AUD-03", f"{STEPS}::correction_needs",
            code("batches.execution.rules.entries.check_can_correct_value", answer())),
    Control("wrong_lot_scan", "the comparison of the scanned bag with the lot", "COI-03", f"{STEPS}::bag_of_another_lot",
            code("batches.execution.services.opening._identify", particular.any_bag)),
    Control("scan_needed", "the scan without which no step opens that touches material", "COI-03", f"{STEPS}::without_a_scan",
            code("batches.execution.services.opening._identify", answer())),
    Control("spent_container", "the refusal of a container that is spent", "COI-03", f"{SCANS}::spent",
            code("batches.execution.queries.scans.is_spent", answer(False))),
    Control("typed_alone", "the second person for a typed identifier", "COI-03", "tests/batches/custody/test_services.py::one_person_typed",
            code("batches.lots.rules.identity.check_scanned_or_read_by_two", answer())),
    Control("label_two", "the second reader where a label goes onto a container that was typed", "COI-03", f"{LABELS}::label_goes_onto_no_container",
            code("batches.lots.services.identity.prove_identity", answer())),
    Control("decimal_sign", "the refusal of the sign that the site does not write before three digits", "EXE-04",
            "tests/batches/recipes/test_quantities.py::other_sign", code("batches.recipes.quantities._mantissa", particular.either_sign)),
    Control("typed_alone_at_step", "the second person for an identifier typed at a step", "COI-03", f"{STEPS}::typed_alone",
            code("batches.execution.rules.steps.check_scanned", answer())),
    Control("material_released", "the refusal of material that is not released", "MAT-01", f"{MATERIALS}::unreleased {SCANS}::may_not_be_used",
            code("batches.materials.rules.check_usable", silent("material_in_quarantine"))),
    Control("material_in_date", "the refusal of material that expired", "MAT-01", f"{MATERIALS}::expires {SCANS}::expired",
            code("batches.materials.rules.check_usable", silent("material_expired"))),
    Control("calibration", "the refusal of equipment out of calibration", "MAT-04", f"{EQUIPMENT}::calibration {SCANS}::without_calibration",
            code("batches.equipment.rules.check_fit", silent("not_calibrated"))),
    Control("in_service", "the refusal of equipment out of service", "MAT-04", f"{EQUIPMENT}::out_of_service",
            code("batches.equipment.rules.check_fit", silent("out_of_service"))),
    Control("occupancy", "one lot at a time in a unit", "MAT-04", f"{SCANS}::holds_another_lot",
            code("batches.equipment.rules.check_fit", silent("occupied_by_another_lot"))),
    Control("starting_material", "the decision on starting material before manufacture", "COI-09", f"{STEPS}::accepted_the_donation",
            code("batches.lots.rules.course.check_can_start_lot", silent("starting_material_not_accepted"))),
    Control("guard_hold", "the hold on new lots while a guard is missing", "AUD-07", f"{HOLDS}::guard_is_missing",
            code("mes.records.intact.check_trail_holds", silent("guard_missing"))),
    Control("trail_hold", "the hold on new lots where a trail is broken", "AUD-07", f"{HOLDS}::trail_was_changed",
            code("mes.records.intact.check_trail_holds", silent("trail_broken"))),
)  # fmt: skip

AT_RELEASE = (
    Control("releaser", "the refusal of release by who made or tested the lot", "REL-02", f"{RELEASE}::releases",
            code("quality.release.rules.check_releaser", silent("own_work"))),
    Control("releasing_role", "the releasing role", "REL-02", f"{RELEASE}::only_the_releasing_role", code("quality.release.rules.check_releaser", answer())),
    Control("dispatch", "the certificate's validity at dispatch", "REL-09", "tests/attack/test_release.py::late_failure",
            code("quality.release.rules.check_may_leave", answer())),
    Control("custody_certified", "certification before the product is handed over", "REL-05", "tests/batches/custody/test_services.py::before_certification",
            code("batches.custody.rules.check_can_hand_over", silent("not_certified"))),
    Control("decided_record", "the refusal of corrections in a decided lot", "REC-05", f"{KEPT}::decided_lot",
            code("batches.execution.rules.entries._check_record_open", answer())),
    Control("whole_signature", "the refusal to show a signature that lacks an element", "SIG-04", f"{KEPT}::shown_nowhere",
            code("mes.signatures.shown.check_whole", particular.as_it_is)),
    Control("infusion_container", "the match of the scanned bag at infusion", "COI-05", f"{RELEASE}::refuse_the_infusion",
            code("batches.lots.rules.containers.check_same_container", answer())),
    Control("infusion_patient", "the match of bag and patient at infusion", "COI-05", f"{RELEASE}::refuse_the_infusion",
            code("quality.release.rules.check_identity", silent("wrong_patient"))),
    Control("infusion_two", "the second person at infusion", "COI-05", f"{RELEASE}::refuse_the_infusion",
            code("mes.signatures.rules.check_different_person", answer())),
    Control("reviewer", "the refusal of review by who worked in the lot", "AUD-12", "tests/quality/review/test_services.py::whoever_worked",
            code("quality.review.rules.check_reviewer", answer())),
    *(Control(f"gate_{name}", f"the gate's line of {words}", requirement, f"{tests}", without_line(name)) for name, (words, requirement, tests) in {
        "lot_state": ("the lot's state", "REL-01", f"{RELEASE}::each_missing_thing"),
        "steps": ("open steps", "REL-01", f"{GATE}::open_step"),
        "signatures": ("signatures that no longer cover", "REL-01", f"{GATE}::signature"),
        "review": ("the signed review", "REL-01", f"{RELEASE}::each_missing_thing"),
        "deviations": ("deviations", "REL-01", f"{RELEASE}::each_missing_thing"),
        "results": ("results", "REL-01", f"{RELEASE}::result_fails"),
        "illustrative": ("made-up results", "QC-07", f"{RELEASE}::made_up_results"),
        "labels": ("labels", "REL-01", f"{RELEASE}::label"),
        "materials": ("materials", "MAT-02", f"{GATE}::material"),
        "equipment": ("equipment", "REL-01", f"{GATE}::equipment"),
        "identity": ("identity at each step that touches material", "REL-01", f"{GATE}::identity"),
        "holds": ("holds", "REL-01", f"{RELEASE}::hold"),
        "alarms": ("alarms that nobody acknowledged", "REL-01", f"{GATE}::alarm"),
        "expiry": ("shelf life", "REL-01", f"{GATE}::shelf_life"),
    }.items()),
    Control("gate_trail", "the gate's line of the audit trail", "AUD-07", f"{RELEASE}::trail", code("quality.release.integrity.trail_findings", answer([]))),
    Control("gate_database", "the gate's line of the database's guards", "AUD-05", f"{RELEASE}::missing_guard",
            code("quality.release.integrity.guard_findings", answer([]))),
    Control("integrity_second", "the second person for what does not hold in trail or guards", "AUD-07", f"{BROKEN}::one_person_alone",
            alone(code("quality.release.rules.check_can_confirm_integrity", silent("same_person")))),
    Control("integrity_own_work", "the refusal of who worked in the lot as the one who confirms it", "REL-02", f"{BROKEN}::one_person_alone",
            alone(code("quality.release.rules.check_can_confirm_integrity", silent("own_work")))),
    Control("guard_altered_again", "the mark of how the guards stand, which an assessment covers", "AUD-05", f"{BROKEN}::altered_once_more",
            alone(code("mes.records.guard_marks.mark", answer("")))),
    Control("unguarded_reviewed", "the exception about work while a guard is missing", "AUD-12", f"{MARKED}::goes_on_and_is_marked",
            code("mes.checkpoints.queries.not_held", answer([]))),
    Control("unguarded_shown", "the mark on the pages while a guard is missing", "AUD-05", f"{MARKED}::goes_on_and_is_marked",
            code("quality.alerts.views.TrailMark.read", answer({"found": False}))),
    Control("infusion_certified", "certification before the infusion began", "REL-06", f"{RELEASE}::times_or_volume",
            code("quality.release.rules._check_not_before", silent("start_before_certification"))),
)  # fmt: skip

AFTERWARDS = (
    Control("verifier_links", "the verifier's check of the links", "AUD-07",
            "tests/mes/verifier/test_verify.py::break tests/mes/verifier/test_verify.py::fork", code("mes.verifier.chain._order", answer())),
    Control("verifier_bytes", "the verifier's check of an entry against its own bytes", "AUD-07", "tests/mes/verifier/test_verify.py::each_break",
            code("mes.verifier.chain._own", answer())),
    Control("verifier_rows", "the verifier's check of rows against their digests", "AUD-07", "tests/mes/verifier/test_verify.py::each_break",
            code("mes.verifier.rows.RowCheck._rows", answer())),
    Control("checkpoint_signature", "the check of the checkpoint's signature", "AUD-08", "tests/mes/verifier/test_anchors.py::altered",
            code("mes.verifier.ed25519.is_signed", answer(True))),
    Control("checkpoint_unchecked", "the verdict's word about checkpoints whose key was not given", "AUD-08", "tests/mes/verifier/test_keys.py::where_none_was",
            code("mes.verifier.noted.check", answer())),
    Control("timestamp_late", "the check of a kept token's time against its checkpoint's", "AUD-08", f"{STAMPS}::another_time",
            code("mes.verifier.timestamps._untimely", answer(""))),
    Control("timestamp_taken", "the refusal of a token from before its checkpoint or after now", "AUD-08",
            "tests/mes/checkpoints/test_timestamps.py::before_its_checkpoint", code("mes.checkpoints.timestamps.check_time", particular.token_as_it_came)),
    Control("vulnerable_package", "the audit of locked packages against known vulnerabilities", "ASVS-15.2.1", f"{PACKAGES}::known_vulnerability",
            code("mes.management.commands.audit_dependencies.advisories", answer({}))),
    Control("withdrawn_package", "the audit of locked packages that their publisher took back", "ASVS-15.2.1", f"{PACKAGES}::taken_back",
            code("mes.management.commands.audit_dependencies.taken_back", answer(""))),
    Control("silent_audit", "that a service which does not answer is no good answer", "ASVS-15.2.1", f"{PACKAGES}::silent_service",
            code("mes.management.commands.audit_dependencies.ask", particular.nothing_known)),
    Control("strange_checkpoint_key", "the refusal of a checkpoint that nobody's key signed who was named", "AUD-08",
            "tests/mes/verifier/test_keys.py::key_that_nobody_gave", code("mes.verifier.noted.strange_keys", answer())),
    Control("newest_entries", "the look at the newest entries of a stream since a checkpoint", "AUD-07",
            "tests/mes/verifier/test_links.py::break_behind_the_checkpoint tests/mes/verifier/test_bundles.py::every_spoil",
            code("mes.verifier.bundles.holds", particular.held)),
    Control("file_digest", "the check of a file against its digest whenever it is read", "DI-04", "tests/quality/release/test_damage.py::flipped_byte",
            code("mes.records.kept.check_kept", particular.unchecked)),
)  # fmt: skip

CONTROLS = (*IN_THE_DATABASE, *SIGNING, *ENTERING, *ON_THE_FLOOR, *AT_RELEASE, *AFTERWARDS)
