"""Addresses of the review."""

from django.urls import path

from quality.review import views

app_name = "review"

urlpatterns = [
    path("review/", views.ListPage.as_view(), name="list"),
    path("lots/<str:number>/review/", views.ReviewPage.as_view(), name="review"),
    path("lots/<str:number>/review/entries/", views.EntriesPage.as_view(), name="entries"),
    path("lots/<str:number>/review/sign/", views.SignPage.as_view(), name="sign"),
]
