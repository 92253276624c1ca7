"""Addresses on people."""

from __future__ import annotations

from django.urls import path

from mes.people.views import access

app_name = "people"

urlpatterns = [
    path("sign-in/", access.SignInPage.as_view(), name="sign_in"),
    path("sign-in/site/", access.ChooseSitePage.as_view(), name="choose_site"),
    path("sign-out/", access.sign_out, name="sign_out"),
    path("lock/", access.lock, name="lock"),
    path("unlock/", access.unlock, name="unlock"),
]
