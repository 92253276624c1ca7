"""How each table of quality is worded in a printed trail."""

from __future__ import annotations

from collections.abc import Sequence

from mes.audit.wordings import Change, Words, word
from mes.clock import moment_words
from mes.words import counted, plain
from quality.release.queries import NOT_INFUSED, WORDS, volume_words
from quality.review.queries import DECISIONS
from quality.samples.queries import name_of


def _moved(what: str, now, before) -> list[Change]:
    if before is None:
        return [Change(what, "", plain(now.state))]
    return [Change(what, plain(before.state), plain(now.state))] if before.state != now.state else []


def sample(words: Words, now, before) -> Sequence[Change]:
    return _moved(f"Sample {now.identifier}", now, before)


def result(words: Words, now, before) -> Sequence[Change]:
    old = words.typed(now.supersedes.value_text, now.supersedes.unit) if now.supersedes_id else ""
    kind = f", interim, day {now.interim_day}" if now.kind == "interim" else ""
    mark = ", illustrative, not published" if now.evidence == "illustrative" else ""
    return [Change(f"Result {name_of(now)}{kind}{mark}", old, words.typed(now.value_text, now.unit), bool(old)), Change("Verdict", "", plain(now.verdict))]


def result_review(words: Words, now, before) -> Sequence[Change]:
    return [Change(f"Result of {name_of(now.result)} reviewed", "", now.reviewer.full_name)]


def specification(words: Words, now, before) -> Sequence[Change]:
    return [Change("Judged by specification", "", f"{now.specification_version.specification.code} {now.specification_version.label}")]


def deviation(words: Words, now, before) -> Sequence[Change]:
    changes = _moved(f"Deviation {now.number}", now, before)
    if before is None:
        return [*changes, Change("Title", "", now.title, True)]
    if now.classification != before.classification:
        changes.append(Change("Classification", before.classification, now.classification))
    if now.impact != before.impact:
        changes.append(Change("Impact on this lot", plain(before.impact), f"{plain(now.impact)}: {now.impact_reason}"))
    if now.investigation != before.investigation:
        changes.append(Change("Investigation", before.investigation, now.investigation))
    return changes


def alert(words: Words, now, before) -> Sequence[Change]:
    changes = _moved(f"Alert, {now.severity}", now, before)
    if before is None:
        return [*changes, Change("Title", "", now.title)]
    if now.level != before.level:
        changes.append(Change("Told further", f"rung {before.level}", f"rung {now.level}: {', '.join(now.roles)}"))
    return changes


def delivery(words: Words, now, before) -> Sequence[Change]:
    return [Change(f"Alert {'told to' if now.delivered else 'not brought to'} {now.recipient} ({now.channel})", "", now.failure or now.alert.title)]


def review(words: Words, now, before) -> Sequence[Change]:
    changes = _moved(f"Review, rules {now.rules_version}", now, before)
    if before is not None and now.entries_covered != before.entries_covered:
        changes.append(Change("Entries covered", str(before.entries_covered), str(now.entries_covered)))
    return changes


def disposition(words: Words, now, before) -> Sequence[Change]:
    return [Change(f"Exception {plain(now.exception.partition(':')[0])} decided", "", f"{DECISIONS.get(now.decision, now.decision)}: {now.comment}")]


def decision(words: Words, now, before) -> Sequence[Change]:
    return [Change("Release decision", "", WORDS.get(now.kind, now.kind)), *([Change("Reason", "", now.reason)] if now.reason else [])]


def certificate(words: Words, now, before) -> Sequence[Change]:
    return [Change(f"Certificate {now.number}, {counted(now.entries, 'entry', 'entries')}", "", f"SHA-256 {now.sha256}")]


def invalidation(words: Words, now, before) -> Sequence[Change]:
    return [Change("The certificate no longer holds", "", now.sentence)]


def integrity_assessment(words: Words, now, before) -> Sequence[Change]:
    return [Change(f"Trail and guards assessed, {len(now.findings)} found", "", now.text)]


def integrity_confirmation(words: Words, now, before) -> Sequence[Change]:
    return [Change("Assessment of trail and guards confirmed", "", now.assessment.text)]


def use(words: Words, now, before) -> Sequence[Change]:
    what = f"{now.container.title} {now.container.identifier}"
    if not now.infused:
        return [Change(f"{what} not infused", "", f"{NOT_INFUSED.get(now.reason_code, now.reason_code)}: {now.reason}".rstrip(": "), True)]
    times = (("Started", now.started_at), ("Ended", now.ended_at))
    given = " ".join(filter(None, (volume_words(now.volume_text), now.reason)))
    return [Change(f"{what} infused", "", given), *(Change(act, "", moment_words(at, words.zone)) for act, at in times if at)]


def evidence_file(words: Words, now, before) -> Sequence[Change]:
    return [Change(f"Evidence file made, to entry {now.entries}", "", f"SHA-256 {now.sha256}")]


def register() -> None:
    """Register every wording of quality."""
    word("quality_sample", sample)
    word("quality_result", result, "supersedes", "specification_version")
    word("quality_resultreview", result_review, "result__specification_version", "reviewer")
    word("quality_lotspecification", specification, "specification_version__specification")
    word("quality_deviation", deviation)
    word("quality_alert", alert)
    word("quality_alertdelivery", delivery, "alert")
    word("quality_review", review)
    word("quality_disposition", disposition)
    word("quality_releasedecision", decision)
    word("quality_certificate", certificate)
    word("quality_certificateinvalidation", invalidation)
    word("quality_integrityassessment", integrity_assessment)
    word("quality_integrityconfirmation", integrity_confirmation, "assessment")
    word("quality_productuse", use, "container")
    word("mes_evidencefile", evidence_file)
