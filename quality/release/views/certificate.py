"""The certificate on screen and as PDF, and the page that checks a printed one."""

from __future__ import annotations

from django.http import HttpResponse
from django.urls import reverse

from mes.errors import Missing
from mes.people.models import Site
from mes.records.context import site_context
from mes.records.kept import check_kept
from mes.web.pages import Page
from mes.words import counted
from quality.permissions import Permission
from quality.release import queries
from quality.release.models import Certificate, ReleaseDecision
from quality.release.paper import context_of
from quality.release.rendering import signed_of


def pdf_url(number: str, certificate: str) -> str:
    return reverse("quality:release:certificate_pdf", kwargs={"number": number, "certificate": certificate})


class CertificatePage(Page):
    """`/lots/<number>/certificate/`: the certificate that counts, or an earlier one by its number, with whether it still holds."""

    permission = Permission.READ_CERTIFICATE
    template_name = "quality/release/certificate.html"
    title = "Certificate"

    def read(self, number: str, certificate: str = "") -> dict:
        lot = queries.lot_by_number(number)
        decisions = [each for each in queries.decisions_of(lot) if each.kind in queries.MEANINGS]
        if not decisions:
            raise Missing("no_certificate", f"Lot {number} is not certified. What still blocks it stands on its page.")
        numbers = {queries.number_of_decision(each): each for each in decisions}
        decision = numbers.get(certificate) if certificate else decisions[-1]
        if decision is None:
            raise Missing("no_certificate", f"Lot {number} has no certificate {certificate}.")
        decision = ReleaseDecision.objects.select_related("signature__payload").get(pk=decision.pk)
        drawn = Certificate.objects.filter(decision=decision).defer("pdf").first()
        signed = signed_of(decision)
        content = queries.payload_of(decision)
        context = context_of(content, signed, for_paper=False)
        return context | {
            "the_lot": lot,
            "page_title": content["certificate"],
            "doc_title": content["title"],
            "certificate": drawn,
            "why_not": queries.why_not_valid(decision),
            "replaced": getattr(decision, "superseded_by", None) is not None and not queries.invalidations_of(decision),
            "others": [
                {"number": each, "url": reverse("quality:release:certificate_of", kwargs={"number": number, "certificate": each})}
                for each in numbers
                if each != content["certificate"]
            ],
            "back_url": f"/lots/{number}/",
            "pdf_url": pdf_url(number, drawn.number) if drawn else "",
            "foot_left": context["foot"],
            "foot_middle": "Scan the code to check this certificate.",
            "pages": f"{counted(context['entries'], 'audit entry', 'audit entries')} in the annex of the PDF",
        }  # fmt: skip


class CertificatePdf(Page):
    """The PDF, byte for byte as it was kept."""

    permission = Permission.READ_CERTIFICATE
    title = "Certificate"

    def get(self, request, number: str, certificate: str = "") -> HttpResponse:
        with site_context(self.by.site_id):
            lot = queries.lot_by_number(number)
            found = Certificate.objects.filter(lot=lot).order_by("-recorded_at")
            row = found.filter(number=certificate).first() if certificate else found.first()
            if row is None:
                raise Missing("not_drawn", "The PDF is not drawn yet. It is there within a minute of the signature.")
            pdf, name = check_kept(row.pdf, row.sha256, "This certificate"), row.number
        answer = HttpResponse(pdf, content_type="application/pdf")
        answer["Content-Disposition"] = f'inline; filename="{name}.pdf"'
        answer["Cache-Control"] = "no-store"
        return answer


class VerifyPage(Page):
    """`/verify/<code>/`: whether a printed certificate still holds. Open to whoever has the paper; it shows no more than the paper's number."""

    open_to_all = True
    template_name = "quality/release/verify.html"
    title = "Check a certificate"

    def get(self, request, code: str = "") -> HttpResponse:
        code = code or request.GET.get("code", "").strip()
        if not code:
            return self.draw({"code": ""})
        try:
            site, beginning = queries.read_code(code)
            shown = self.found(site, beginning)
        except Missing as missing:
            return self.draw({"code": code, "unknown": missing.sentence}, 404)
        return self.draw({"code": code} | shown)

    @staticmethod
    def found(site: Site, beginning: str) -> dict:
        with site_context(site.pk):
            certificate = queries.certificate_by_code(site, beginning)
            why_not = queries.why_not_valid(certificate.decision)
            later = getattr(certificate.decision, "superseded_by", None)
            return {
                "certificate": certificate.number,
                "stage": queries.WORDS[certificate.stage],
                "valid": not why_not,
                "superseded": later is not None and not queries.invalidations_of(certificate.decision),
                "digest": certificate.content_digest,
                "sha256": certificate.sha256,
                "issued_at": certificate.decision.recorded_at,
                "issuer": site.name,
                "site_zone": site.time_zone,
                "is_demo": certificate.lot.demo,
            }
