"""Addresses of the audit trail."""

from __future__ import annotations

from django.urls import path

from mes.inspection import views

app_name = "inspection"

urlpatterns = [
    path("audit/", views.AuditPage.as_view(), name="trail"),
    path("audit/stream/<slug:kind>/<uuid:stream_id>/", views.StreamDrawer.as_view(), name="stream"),
    path("audit/stream/<slug:kind>/<uuid:stream_id>/export.csv", views.StreamExport.as_view(), name="export"),
    path("audit/stream/<slug:kind>/<uuid:stream_id>/as-of/", views.AsOfPage.as_view(), name="as_of"),
    path("audit/refusals/all/", views.RefusalsPage.as_view(), name="all_refusals"),
    path("audit/refusals/", views.RefusalsPanel.as_view(), name="refusals"),
]
