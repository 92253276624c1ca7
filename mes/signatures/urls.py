"""Addresses of signing itself: accountability and deputies."""

from __future__ import annotations

from django.urls import path

from mes.signatures import views

app_name = "signatures"

urlpatterns = [
    path("me/accountability/", views.AccountabilityPage.as_view(), name="accountability"),
    path("people/deputies/", views.DeputiesPage.as_view(), name="deputies"),
    path("people/deputies/<uuid:authority_id>/approve/", views.ApproveDeputyPage.as_view(), name="approve_deputy"),
]
