"""Addresses on lots."""

from __future__ import annotations

from django.urls import path

from batches.lots import api
from batches.lots.views import course, detail, lists, starting

app_name = "lots"

urlpatterns = [
    path("lots/", lists.LotsPage.as_view(), name="list"),
    path("lots/new/", lists.OrderPage.as_view(), name="order"),
    path("lots/<str:number>/", detail.LotPage.as_view(), name="detail"),
    path("lots/<str:number>/cancel/", detail.CancelPage.as_view(), name="cancel"),
    path("lots/<str:number>/hold/", course.HoldPage.as_view(), name="hold"),
    path("lots/<str:number>/resume/", course.ResumePage.as_view(), name="resume"),
    path("lots/<str:number>/terminate/", course.TerminateChoicePage.as_view(), name="terminate"),
    path("lots/<str:number>/terminate/<slug:code>/", course.TerminatePage.as_view(), name="terminate_for"),
    path("lots/<str:number>/donations/new/", starting.AddDonationPage.as_view(), name="add_donation"),
    path("lots/<str:number>/donations/<str:din>/", starting.DonationPage.as_view(), name="donation"),
    path("lots/<str:number>/donations/<str:din>/<slug:decision>/", starting.DecideDonation.as_view(), name="decide_donation"),
]

api_urls = [
    path("lots/", api.LotsView.as_view(), name="lots"),
    path("lots/<str:number>/", api.LotView.as_view(), name="lot"),
    path("lots/<str:number>/donations/", api.DonationsView.as_view(), name="donations"),
    path("lots/<str:number>/donations/<str:din>/collect/", api.CollectView.as_view(), name="collect_donation"),
    path("lots/<str:number>/donations/<str:din>/receive/", api.ReceiveView.as_view(), name="receive_donation"),
    path("lots/<str:number>/donations/<str:din>/<slug:decision>/sign/", api.DecideDonationSign.as_view(), name="decide_donation_sign"),
    path("lots/<str:number>/hold/sign/", api.HoldSign.as_view(), name="hold_sign"),
    path("lots/<str:number>/resume/sign/", api.ResumeSign.as_view(), name="resume_sign"),
    path("lots/<str:number>/terminate/<slug:code>/sign/", api.TerminateSign.as_view(), name="terminate_sign"),
]
