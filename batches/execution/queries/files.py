"""Attached files, each time with the digest that its bytes give now: a file that fails is not shown and not signed over. DI-04; 21 CFR 11.10(c)."""

from __future__ import annotations

from django.db.models import F, Func, QuerySet, TextField, Value

from batches.execution.models import Attachment, StepRun
from mes.records.kept import check_kept


def with_digest_now(files: QuerySet[Attachment]) -> QuerySet[Attachment]:
    """The same files without their content, and `digest_now` beside each: the SHA-256 of its bytes as they lie there, computed by the database."""
    return files.defer("content").annotate(digest_now=digest_of_content())


def digest_of_content() -> Func:
    """The SHA-256 of a file's bytes as they lie there, computed by the database, in hexadecimal."""
    return Func(Func(F("content"), function="sha256"), Value("hex"), function="encode", output_field=TextField())


def files_of(run: StepRun) -> list[Attachment]:
    """Raw files of the step, without their content."""
    return list(with_digest_now(Attachment.objects.filter(step_run=run)).select_related("by").order_by("recorded_at"))


def is_damaged(file: Attachment) -> bool:
    """Whether a file of files_of() is another than the one that was attached."""
    return file.digest_now != file.sha256


def file_content(run: StepRun, file_id) -> tuple[Attachment, bytes]:
    """A file of the step with its bytes, checked against the digest taken when it was attached. Raises Missing, RuleBroken("file_damaged")."""
    kept = Attachment.objects.one(pk=file_id, step_run=run)
    return kept, check_kept(kept.content, kept.sha256, f"The file {kept.file_name}")


def runs_with_damaged_files(lot) -> set:
    """The steps of a lot at which a file lies that is not the one that was attached. One query."""
    return set(with_digest_now(Attachment.objects.filter(lot=lot)).exclude(digest_now=F("sha256")).values_list("step_run_id", flat=True))
