"""Addresses on labels and hand-overs."""

from django.urls import path

from batches.custody import views
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
