"""Addresses of alerts."""

from django.urls import path

from quality.alerts import views

app_name = "alerts"

urlpatterns = [
    path("alerts/", views.ListPage.as_view(), name="list"),
    path("alerts/panel/", views.AlertPanel.as_view(), name="panel"),
    path("alerts/watch/", views.WatchPanel.as_view(), name="watch"),
    path("alerts/secrets/", views.SecretsPanel.as_view(), name="secrets"),
    path("alerts/trail/", views.TrailMark.as_view(), name="trail"),
    path("alerts/<uuid:alert_id>/", views.AlertPage.as_view(), name="detail"),
    path("alerts/<uuid:alert_id>/acknowledge/", views.AcknowledgePage.as_view(), name="acknowledge"),
]
