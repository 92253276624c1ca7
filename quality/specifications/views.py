"""Pages of specifications: the list, the import, one version, its approval."""

from __future__ import annotations

from django.http import HttpResponse
from django.urls import reverse

from batches.permissions import Permission as BatchPermission
from batches.recipes.queries import product_names
from mes.clock import moment_words
from mes.errors import RuleBroken
from mes.records.context import site_context
from mes.signatures.pages import SigningPage
from mes.web.pages import Page
from mes.words import plain
from quality.permissions import Permission
from quality.specifications import forms, queries, services
from quality.specifications.models import SpecificationVersion

READ = (
    Permission.AUTHOR_SPECIFICATIONS, Permission.APPROVE_SPECIFICATIONS, Permission.RECORD_RESULTS, Permission.REVIEW_RESULTS, Permission.CERTIFY_LOT,
    BatchPermission.READ_RECORD,
)  # fmt: skip
WORDS = {
    "draft": "Draft", "in_review": "In review", "approved": "Approved", "effective": "In force", "superseded": "Superseded", "withdrawn": "Withdrawn",
}  # fmt: skip


def url_of(version: SpecificationVersion) -> str:
    return reverse("quality:specifications:version", kwargs={"code": version.specification.code, "label": version.label})


def in_force_since(version, zone: str) -> str:
    return moment_words(version.effective_from, zone) if version.effective_from else ""


class ListPage(Page):
    """Every specification and its versions."""

    permission = READ
    template_name = "quality/specifications/list.html"
    title = "Specifications"

    def read(self) -> dict:
        names = product_names()
        rows = [
            {
                "url": url_of(version),
                "cells": [
                    {"text": f"{version.specification.code} {version.label}", "sub": version.specification.name, "mono": True},
                    {"text": names.get(version.specification.product, version.specification.product), "sub": version.specification.product},
                    {"text": ", ".join(version.markets)},
                    {"word": WORDS[version.state], "state": "todo"} if version.state == "in_review" else {"text": WORDS[version.state]},
                    {"text": version.author.full_name, "sub": f"in force since {since}" if since else ""},
                ],
            }
            for found in queries.specifications()
            for version in found["versions"]
            for since in [in_force_since(version, self.request.site.time_zone)]
        ]
        return {
            "heading": "Specifications", "caption": "Specifications", "columns": ["Version", "Product", "Markets", "State", "Author"], "rows": rows,
            "table_id": "specifications", "empty_title": "No specification yet.", "empty_text": "Import one as YAML text.",
            "may_import": Permission.AUTHOR_SPECIFICATIONS in self.request.rights,
        }  # fmt: skip


class ImportPage(Page):
    """Take a text in. What is wrong is told with line and field, all at once."""

    permission = Permission.AUTHOR_SPECIFICATIONS
    template_name = "quality/specifications/import.html"
    title = "Import a specification"
    problems: tuple = ()

    def read(self) -> dict:
        return {
            "heading": "Import a specification", "lead": "A draft is made of it, or replaced. Nothing takes effect before a second person approves.",
            "form": forms.ImportForm(initial={"text": self.request.POST.get("text", "")}), "ok": "Import", "problems": self.problems,
            "back_url": reverse("quality:specifications:list"), "back_label": "Back to the specifications",
        }  # fmt: skip

    def post(self, request) -> HttpResponse:
        form = forms.ImportForm(request.POST, request.FILES)
        if not form.is_valid():
            return self.show(422, form=form)
        version = self.do(services.import_specification, text=form.written())
        with site_context(self.by.site_id):
            version = queries.version_by_id(version.pk)
        self.say(f"{queries.name_of(version)} is a draft.")
        return self.done(url_of(version))

    def refused(self, broken: RuleBroken) -> HttpResponse:
        self.problems = tuple(getattr(broken, "problems", ()))
        return super().refused(broken)


class VersionPage(Page):
    """One version: its criteria as people read them, its text, who approved it, what changed."""

    permission = READ
    template_name = "quality/specifications/version.html"
    title = "Specification"

    def read(self, code: str, label: str) -> dict:
        version = queries.version_named(code, label)
        document = queries.document(version)
        rights = self.request.rights
        names = queries.names_for(version)
        before = next((each for each in queries.versions_of(version.specification) if each.recorded_at < version.recorded_at), None)
        return {
            "page_title": queries.name_of(version),
            "heading": queries.name_of(version),
            "lead": document.name,
            "status_word": WORDS[version.state],
            "status_state": "todo" if version.state == "in_review" else "",
            "version": version,
            "pairs": [
                {"k": "Product", "v": f"{product_names().get(document.product, document.product)} ({document.product})"},
                {"k": "Markets", "v": ", ".join(version.markets)},
                {"k": "Author", "v": version.author.full_name},
                {"k": "In force since", "v": in_force_since(version, self.request.site.time_zone)},
                {"k": "Demo data", "v": "yes, made for demonstration" if version.demo else "no"},
                {"k": "SHA-256", "v": version.digest, "mono": True},
            ],
            "criteria": [{"it": each, "rule": queries.rule_of(each, names), "group": plain(each.any_of or "")} for each in document.criteria],
            "sources": document.based_on,
            "approvals": queries.approvals_of(version),
            "before": before,
            "changes": queries.changes(before, version) if before else [],
            "may_submit": version.state == "draft" and Permission.AUTHOR_SPECIFICATIONS in rights,
            "may_approve": version.state == "in_review" and Permission.APPROVE_SPECIFICATIONS in rights,
            "may_make_effective": version.state == "approved" and Permission.APPROVE_SPECIFICATIONS in rights,
        }

    def found(self, code: str, label: str) -> SpecificationVersion:
        with site_context(self.by.site_id):
            return queries.version_named(code, label)

    def seen(self) -> int:
        """The version the screen showed."""
        text = self.request.POST.get("seen", "")
        return int(text) if text.isdecimal() else -1


class SubmitPage(VersionPage):
    """The author asks for approval."""

    permission = Permission.AUTHOR_SPECIFICATIONS

    def post(self, request, code: str, label: str) -> HttpResponse:
        version = self.found(code, label)
        self.do(services.submit_specification, version_id=version.pk, seen=self.seen())
        return self.done(url_of(version))


class ReturnPage(VersionPage):
    """The version goes back to its author."""

    permission = Permission.APPROVE_SPECIFICATIONS

    def post(self, request, code: str, label: str) -> HttpResponse:
        version = self.found(code, label)
        self.do(services.return_specification, version_id=version.pk, seen=self.seen(), reason=request.POST.get("reason", ""))
        return self.done(url_of(version))


class MakeEffectivePage(VersionPage):
    """The version takes effect."""

    permission = Permission.APPROVE_SPECIFICATIONS

    def post(self, request, code: str, label: str) -> HttpResponse:
        version = self.found(code, label)
        self.do(services.make_effective, version_id=version.pk, seen=self.seen())
        self.say(f"{queries.name_of(version)} is in force. Lots ordered from now on are judged by it.")
        return self.done(url_of(version))


class ApprovePage(SigningPage):
    """Approval, signed by somebody who did not write the version."""

    permission = Permission.APPROVE_SPECIFICATIONS
    meaning = "approved"

    def what(self, code, label):
        return queries.subject_of(queries.version_named(code, label))

    def summary(self, code, label) -> dict:
        version = queries.version_named(code, label)
        document = queries.document(version)
        rows = [{"label": each.name, "value": queries.rule_of(each), "sub": f"{each.method}, version {each.method_version}"} for each in document.criteria]
        return {
            "title": f"Approve {queries.name_of(version)}", "page_title": f"Approve {queries.name_of(version)}",
            "caption": f"You sign for this text, SHA-256 {version.digest[:16]}…, with {len(rows)} criteria", "rows": rows, "back_url": url_of(version),
            "back_label": "Back to the specification", "ok": "Sign the approval", "foot": "Who wrote a version does not approve it.",
        }  # fmt: skip

    def sign(self, proof, code, label):
        with site_context(self.by.site_id):
            version = queries.version_named(code, label)
        return self.do(services.approve_specification, version_id=version.pk, seen=version.version, proof=proof)

    def done_url(self, result, code, label) -> str:
        return reverse("quality:specifications:version", kwargs={"code": code, "label": label})


class TextPage(Page):
    """The text of a version as a file: what is exported is what was approved."""

    permission = READ

    def get(self, request, code: str, label: str) -> HttpResponse:
        with site_context(self.by.site_id):
            version = queries.version_named(code, label)
        return HttpResponse(
            version.text, content_type="text/plain; charset=utf-8", headers={"Content-Disposition": f'attachment; filename="{code}-{label}.yaml"'}
        )
