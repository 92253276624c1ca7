"""Addresses of what a person signs about themselves."""

from __future__ import annotations

from django.urls import path

from mes.signatures.views import AccountabilityPage

app_name = "signatures"

urlpatterns = [
    path("me/accountability/", AccountabilityPage.as_view(), name="accountability"),
]
