"""Addresses of the batch record."""

from django.urls import path

from batches.dossier import api, views

app_name = "dossier"

urlpatterns = [
    path("lots/<str:number>/record/", views.RecordPage.as_view(), name="record"),
    path("lots/<str:number>/record/papers/", views.PapersPanel.as_view(), name="papers"),
    path("lots/<str:number>/record.pdf", views.RecordPdf.as_view(), name="newest_pdf"),
    path("lots/<str:number>/record/<int:paper>/pdf/", views.RecordPdf.as_view(), name="pdf"),
]

api_urls = [
    path("lots/<str:number>/record/", api.RecordView.as_view(), name="lot_record"),
    path("lots/<str:number>/record/papers/", api.PapersView.as_view(), name="lot_papers"),
    path("lots/<str:number>/record/papers/<int:paper>/pdf/", api.PaperPdf.as_view(), name="lot_paper"),
]
