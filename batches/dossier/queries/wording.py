"""How each table of batches is worded in a printed trail: what a person would say happened."""

from __future__ import annotations

from collections.abc import Sequence

from batches.custody.wording import HAND_OVERS
from batches.recipes.wording import cohort_words
from mes.audit.wordings import Change, Words, word
from mes.clock import moment_words
from mes.words import counted, plain, unit_words

STATE_WORDS = {"not_done": "left out", "in_execution": "in execution"}


def _state(state: str) -> str:
    return STATE_WORDS.get(state, plain(state))


def _moved(what: str, now, before) -> list[Change]:
    if before is None:
        return [Change(what, "", _state(now.state))]
    return [Change(what, _state(before.state), _state(now.state))] if before.state != now.state else []


def entry(words: Words, now, before) -> Sequence[Change]:
    name = words.parameter(now.step_run_id, now.parameter)
    text = words.typed(now.value_text, now.unit)
    old = words.typed(now.supersedes.value_text, now.supersedes.unit) if now.supersedes_id else ""
    marks = [mark for mark, there in (("calculated", now.source == "calculated"), ("from equipment", now.source == "equipment"), ("late", now.late)) if there]
    if now.level in {"alert", "action", "hard"}:
        marks.append(f"past the {now.level} limit")
    if now.reason and now.source != "calculated" and now.supersedes_id is None:
        marks.append(now.reason)
    notable = bool(old) or now.late or now.level in {"alert", "action", "hard"}
    changes = [Change(f"{name}{' (' + ', '.join(marks) + ')' if marks else ''}", old, text, notable)]
    if now.claimed_at is not None:
        changes.append(Change("Read at" if now.source == "equipment" else "Done at", "", moment_words(now.claimed_at, words.zone)))
    if now.supersedes_id and now.confirmed_by_id:
        changes.append(Change("Compared with its source by", "", now.confirmed_by.full_name))
    return changes


def step_run(words: Words, now, before) -> Sequence[Change]:
    if before is None:
        return []  # planned: counted once for all
    changes = _moved("Step", now, before)
    if now.state_reason and before.state_reason != now.state_reason:
        changes.append(Change("Reason", "", now.state_reason))
    return changes


def step_run_stands(words: Words, now) -> Sequence[Change]:
    """The state of a step with who did what when."""
    done = (("opened", now.opened_at, now.opened_by), ("performed", now.performed_at, now.performed_by), ("checked", now.second_at, now.second_by))
    told = [Change(f"Step {_state(now.state)}")]
    told += [Change(act, "", f"{moment_words(at, words.zone)} by {by.full_name} ({by.username})") for act, at, by in done if at is not None]
    return [*told, *([Change("reason", "", now.state_reason)] if now.state_reason else [])]


def attempt(words: Words, now, before) -> Sequence[Change]:
    name = words.parameter(now.step_run_id, now.parameter)
    return [Change(f"{name}: typed and not taken", "", words.typed(now.text), True), Change("Answer", "", now.sentence)]


def scan(words: Words, now, before) -> Sequence[Change]:
    how = "typed in full" if now.typed else "scanned"
    what = now.container.title if now.container_id else plain(now.purpose)
    if now.with_person_id:
        how += f" with {now.with_person.full_name}"
    return [Change(f"{what} {how}" if now.matched else f"Wrong {plain(now.purpose)} scan", "", now.text, not now.matched or now.typed)]


def excursion(words: Words, now, before) -> Sequence[Change]:
    return [Change(f"{'Time limit' if now.kind == 'time_limit' else 'Limit'} passed", "", now.sentence, True)]


def choice(words: Words, now, before) -> Sequence[Change]:
    return [Change("Chosen", "", f"{plain(now.choice)}: {now.reason}".rstrip(": "))]


def decision(words: Words, now, before) -> Sequence[Change]:
    return [Change("Decided", "", f"{now.option.replace('_', ' ')}: {now.reason}".rstrip(": "))]


def attachment(words: Words, now, before) -> Sequence[Change]:
    return [Change(f"File {now.file_name}, {now.size} bytes", "", f"SHA-256 {now.sha256}")]


def consumption(words: Words, now, before) -> Sequence[Change]:
    old = f"{now.supersedes.quantity_text} {unit_words(now.supersedes.unit)}" if now.supersedes_id else ""
    return [Change(f"{words.material(now.line)}, lot {now.material_lot.number}", old, f"{now.quantity_text} {unit_words(now.unit)}", bool(old))]


def equipment_use(words: Words, now, before) -> Sequence[Change]:
    return [Change("Equipment", "", f"{now.equipment.name} ({now.equipment.code}), calibrated until {moment_words(now.calibrated_until, now.site.time_zone)}")]


def container(words: Words, now, before) -> Sequence[Change]:
    return _moved(f"{now.title} {now.identifier}", now, before)


def label(words: Words, now, before) -> Sequence[Change]:
    changes = _moved(f"Label {now.serial} of {words.containers.get(now.container_id, 'a container')}", now, before)
    reason = now.destroyed_reason if now.state == "destroyed" else now.reprint_reason if before is None else ""
    return [*changes, *([Change("Reason", "", reason)] if reason else [])]


def hold(words: Words, now, before) -> Sequence[Change]:
    return [*_moved("Hold", now, before), Change("Reason", "", now.ended_reason if now.state == "ended" else now.reason)]


def lot(words: Words, now, before) -> Sequence[Change]:
    if before is None:
        recipe = getattr(words, "recipe", None)
        cohort = cohort_words(recipe.dose, now.cohort) if recipe is not None and now.cohort else now.cohort or "none"
        return [Change("Lot", "", f"{now.number}, check code {now.check_code}, market {now.market}, dose cohort {cohort}")]
    return _moved("Lot", now, before)


def lot_stands(words: Words, now) -> Sequence[Change]:
    return [*lot(words, now, None), Change("state", "", _state(now.state))]


def signature(words: Words, now, before) -> Sequence[Change]:
    role = f", {now.role}" if now.role else ""
    return [Change(f"Signed by {now.full_name} ({now.username}{role})", "", now.meaning_text)]


def payload(words: Words, now, before) -> Sequence[Change]:
    return []  # the bytes that the signature beside it signed


def payload_stands(words: Words, now) -> Sequence[Change]:
    return [Change("Kept for a signature", "", f"its {'seal' if now._meta.db_table == 'mes_signatureseal' else 'signed bytes'}")]


def hand_over(words: Words, now, before) -> Sequence[Change]:
    way = f"{words.containers.get(now.container_id, 'a container')}, from {now.from_place} to {now.to_place}"
    more = (("Temperature on the way", now.temperature_words), ("Courier", now.carrier), ("Seal", now.seal), ("Logger", now.logger), ("Remark", now.remark))
    past = now.temperature_level == "action"
    return [Change(HAND_OVERS[now.kind], "", way, past), *(Change(what, "", said) for what, said in more if said)]


def site(words: Words, now, before) -> Sequence[Change]:
    return [Change("Site of the lot", "", now.part)]


def donation(words: Words, now, before) -> Sequence[Change]:
    return [Change("Donation feeds the lot", "", now.donation.din)]


def occupancy(words: Words, now, before) -> Sequence[Change]:
    return [Change("Equipment", "occupied" if before else "", "free" if now.ended_at else "occupied")]


def paper(words: Words, now, before) -> Sequence[Change]:
    return [Change(f"Batch record {now.number} printed, {counted(now.entries, 'entry', 'entries')}", "", f"SHA-256 {now.sha256}")]


def register() -> None:
    """Register every wording of batches and of the signatures that stand in a lot's stream."""
    word("batches_entry", entry, "supersedes", "confirmed_by")
    word("batches_steprun", step_run, "opened_by", "performed_by", "second_by", stands=step_run_stands, counted="Steps planned")
    word("batches_entryattempt", attempt)
    word("batches_scanevent", scan, "container", "with_person")
    word("batches_excursion", excursion)
    word("batches_excursionchoice", choice)
    word("batches_stepdecision", decision)
    word("batches_attachment", attachment)
    word("batches_consumption", consumption, "supersedes", "material_lot")
    word("batches_equipmentuse", equipment_use, "equipment")
    word("batches_container", container)
    word("batches_label", label)
    word("batches_hold", hold)
    word("batches_lot", lot, stands=lot_stands)
    word("batches_handover", hand_over)
    word("batches_lotsite", site)
    word("batches_lotdonation", donation, "donation")
    word("batches_occupancy", occupancy)
    word("batches_batchrecordpaper", paper)
    word("mes_signature", signature)
    word("mes_signaturepayload", payload, stands=payload_stands)
    word("mes_signatureseal", payload, stands=payload_stands)
