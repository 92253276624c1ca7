"""Addresses on people."""

from __future__ import annotations

from django.urls import path

from mes.people.views import access, joining, own, panels, register, site, training

app_name = "people"

urlpatterns = [
    path("sign-in/", access.SignInPage.as_view(), name="sign_in"),
    path("sign-in/site/", access.ChooseSitePage.as_view(), name="choose_site"),
    path("sign-out/", access.sign_out, name="sign_out"),
    path("lock/", access.lock, name="lock"),
    path("lock/touch/", access.touch, name="touch"),
    path("unlock/", access.unlock, name="unlock"),
    path("switch/", access.switch, name="switch"),
    path("join/<str:token>/", joining.JoinPage.as_view(), name="join"),
    path("me/", own.OwnPage.as_view(), name="own"),
    path("me/password/", own.OwnPassword.as_view(), name="own_password"),
    path("me/pin/", own.OwnPin.as_view(), name="own_pin"),
    path("me/sessions/", own.OwnSessions.as_view(), name="own_sessions"),
    path("me/authenticator/", own.OwnAuthenticator.as_view(), name="authenticator"),
    path("people/", register.RegisterPage.as_view(), name="register"),
    path("people/locked/", panels.LockedPanel.as_view(), name="locked"),
    path("people/site/", site.SiteRulesPage.as_view(), name="site_rules"),
    path("people/training/", training.TrainSeveralPage.as_view(), name="train"),
    path("people/new/", register.EnrolPage.as_view(), name="enrol"),
    path("people/<uuid:user_id>/", register.PersonPage.as_view(), name="person"),
    path("people/<uuid:user_id>/roles/", register.GiveRole.as_view(), name="give_role"),
    path("people/<uuid:user_id>/roles/<uuid:grant_id>/end/", register.EndRole.as_view(), name="end_role"),
    path("people/<uuid:user_id>/training/", register.RecordTraining.as_view(), name="training"),
    path("people/<uuid:user_id>/identity/", register.VerifyIdentity.as_view(), name="verify_identity"),
    path("people/<uuid:user_id>/locks/<uuid:lock_id>/", register.Unlock.as_view(), name="unlock_person"),
    path("people/<uuid:user_id>/authenticator/<uuid:factor_id>/", register.RetireAuthenticator.as_view(), name="retire_authenticator"),
    path("people/<uuid:user_id>/sessions/", register.EndSessions.as_view(), name="end_sessions"),
    path("people/<uuid:user_id>/close/", register.CloseAccount.as_view(), name="close_account"),
    path("people/<uuid:user_id>/link/", register.MakeLink.as_view(), name="make_link"),
    path("people/<uuid:user_id>/token/", register.IssueToken.as_view(), name="issue_token"),
    path("people/<uuid:user_id>/token/<uuid:credential_id>/", register.RevokeToken.as_view(), name="revoke_token"),
]
