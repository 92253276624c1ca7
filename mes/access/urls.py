"""Addresses of the access register."""

from __future__ import annotations

from django.urls import path

from mes.access import views

app_name = "access"

urlpatterns = [
    path("people/access/", views.AccessPage.as_view(), name="register"),
    path("people/access/review/<slug:result>/", views.ReviewPage.as_view(), name="review"),
    path("people/emergency/", views.EmergencyPage.as_view(), name="emergency"),
    path("people/emergency/<uuid:access_id>/open/", views.OpenEmergency.as_view(), name="open_emergency"),
    path("people/emergency/<uuid:access_id>/review/", views.ReviewEmergency.as_view(), name="review_emergency"),
]
