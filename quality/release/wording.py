"""How each table of quality is worded in a printed trail."""

from __future__ import annotations

from collections.abc import Sequence

from batches.dossier.queries import Change, word
from batches.dossier.queries.annex import Words
from quality.release.queries import WORDS
from quality.review.queries import DECISIONS


def _moved(what: str, now, before) -> list[Change]:
    if before is None:
        return [Change(what, "", now.state.replace("_", " "))]
    return [Change(what, before.state.replace("_", " "), now.state.replace("_", " "))] if before.state != now.state else []


def sample(words: Words, now, before) -> Sequence[Change]:
    return _moved(f"Sample {now.identifier}", now, before)


def result(words: Words, now, before) -> Sequence[Change]:
    name = now.criterion.replace("_", " ")
    old = f"{now.supersedes.value_text} {now.supersedes.unit}".strip() if now.supersedes_id else ""
    kind = f", interim, day {now.interim_day}" if now.kind == "interim" else ""
    mark = ", illustrative, not published" if now.evidence == "illustrative" else ""
    return [Change(f"Result {name}{kind}{mark}", old, f"{now.value_text} {now.unit}".strip()), Change("Verdict", "", now.verdict.replace("_", " "))]


def result_review(words: Words, now, before) -> Sequence[Change]:
    return [Change(f"Result of {now.result.criterion.replace('_', ' ')} reviewed", "", now.reviewer.full_name)]


def specification(words: Words, now, before) -> Sequence[Change]:
    return [Change("Judged by specification", "", f"{now.specification_version.specification.code} {now.specification_version.label}")]


def deviation(words: Words, now, before) -> Sequence[Change]:
    changes = _moved(f"Deviation {now.number}", now, before)
    if before is None:
        return [*changes, Change("Title", "", now.title)]
    if now.classification != before.classification:
        changes.append(Change("Classification", before.classification, now.classification))
    if now.impact != before.impact:
        changes.append(Change("Impact on this lot", before.impact.replace("_", " "), f"{now.impact.replace('_', ' ')}: {now.impact_reason}"))
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
    return [Change(f"Exception {now.exception.partition(':')[0].replace('_', ' ')} decided", "", f"{DECISIONS.get(now.decision, now.decision)}: {now.comment}")]


def decision(words: Words, now, before) -> Sequence[Change]:
    return [Change("Release decision", "", WORDS.get(now.kind, now.kind)), *([Change("Reason", "", now.reason)] if now.reason else [])]


def certificate(words: Words, now, before) -> Sequence[Change]:
    return [Change(f"Certificate {now.number}, {now.entries} entries", "", f"SHA-256 {now.sha256}")]


def invalidation(words: Words, now, before) -> Sequence[Change]:
    return [Change("The certificate no longer holds", "", now.sentence)]


def integrity_assessment(words: Words, now, before) -> Sequence[Change]:
    return [Change(f"Trail and guards assessed, {len(now.findings)} found", "", now.text)]


def integrity_confirmation(words: Words, now, before) -> Sequence[Change]:
    return [Change("Assessment of trail and guards confirmed", "", now.assessment.text)]


def use(words: Words, now, before) -> Sequence[Change]:
    return [Change(f"{now.container.title} {'infused' if now.infused else 'not infused'}", "", f"{now.volume_text} {now.reason}".strip())]


def evidence_file(words: Words, now, before) -> Sequence[Change]:
    return [Change(f"Evidence file made, to entry {now.entries}", "", f"SHA-256 {now.sha256}")]


def register() -> None:
    """Register every wording of quality."""
    word("quality_sample", sample)
    word("quality_result", result, "supersedes")
    word("quality_resultreview", result_review, "result", "reviewer")
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
