"""Addresses of passkeys."""

from __future__ import annotations

from django.urls import path

from mes.passkeys import views

app_name = "passkeys"

urlpatterns = [
    path("sign-in/second-factor/", views.SecondFactorPage.as_view(), name="second_factor"),
    path("me/passkeys/", views.OwnPasskeysPage.as_view(), name="own"),
    path("people/<uuid:user_id>/passkeys/", views.PersonPasskeysPage.as_view(), name="person"),
    path("people/<uuid:user_id>/passkeys/<uuid:passkey_id>/", views.RetirePasskey.as_view(), name="retire"),
]
