"""Addresses of the release."""

from django.urls import path

from quality.release.views import certificate, decision, evidence, integrity, supply

app_name = "release"

urlpatterns = [
    path("lots/<str:number>/gate/panel/", decision.GatePanel.as_view(), name="panel"),
    path("lots/<str:number>/release/", decision.ReleasePage.as_view(), name="release"),
    path("lots/<str:number>/release/assess-trail/", integrity.AssessIntegrityPage.as_view(), name="assess_integrity"),
    path("lots/<str:number>/release/confirm-trail/", integrity.ConfirmIntegrityPage.as_view(), name="confirm_integrity"),
    path("lots/<str:number>/release/<slug:decision>/", decision.SignDecisionPage.as_view(), name="sign"),
    path("lots/<str:number>/certificate/", certificate.CertificatePage.as_view(), name="certificate"),
    path("lots/<str:number>/certificate.pdf", certificate.CertificatePdf.as_view(), name="newest_pdf"),
    path("lots/<str:number>/certificate/<str:certificate>/pdf/", certificate.CertificatePdf.as_view(), name="certificate_pdf"),
    path("lots/<str:number>/certificate/<str:certificate>/", certificate.CertificatePage.as_view(), name="certificate_of"),
    path("lots/<str:number>/evidence/", evidence.EvidencePage.as_view(), name="evidence"),
    path("lots/<str:number>/dispatch/", supply.DispatchPage.as_view(), name="dispatch"),
    path("lots/<str:number>/dispatch/sign/", supply.SignDispatchPage.as_view(), name="dispatch_sign"),
    path("lots/<str:number>/infusion/", supply.UsePage.as_view(), name="infusion"),
    path("verify/", certificate.VerifyPage.as_view(), name="verify"),
    path("verify/<str:code>/", certificate.VerifyPage.as_view(), name="verify_code"),
]
