"""Addresses on labels and hand-overs."""

from django.urls import path

from batches.custody import api, views
from batches.custody.hand_over_pages import HandOverPage

app_name = "custody"

LABEL = "lots/<str:number>/labels/<uuid:label_id>/"

urlpatterns = [
    path("lots/<str:number>/labels/", views.LabelsPage.as_view(), name="labels"),
    path(f"{LABEL}label.pdf", views.LabelPdf.as_view(), name="pdf"),
    path(f"{LABEL}use/", views.UseLabelPage.as_view(), name="use"),
    path(f"{LABEL}destroy/", views.DestroyLabelPage.as_view(), name="destroy"),
    path("lots/<str:number>/containers/<uuid:container_id>/hand-over/<str:kind>/", HandOverPage.as_view(), name="hand_over"),
]

api_urls = [
    path("lots/<str:number>/labels/", api.LabelsView.as_view(), name="labels"),
    path("labels/<uuid:label_id>/use/", api.UseLabelView.as_view(), name="use_label"),
    path("labels/<uuid:label_id>/destroy/", api.DestroyLabelView.as_view(), name="destroy_label"),
    path("labels/<uuid:label_id>/pdf/", api.LabelPdfView.as_view(), name="label_pdf"),
    path("lots/<str:number>/hand-overs/", api.HandOversView.as_view(), name="hand_overs"),
    path("lots/<str:number>/hand-overs/<str:kind>/sign/", api.HandOverSign.as_view(), name="hand_over_sign"),
]
