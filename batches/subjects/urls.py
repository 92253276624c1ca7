"""Addresses of the vault: the pseudonym, never the patient."""

from django.urls import path

from batches.subjects import views

app_name = "subjects"

urlpatterns = [
    path("patients/<str:pseudonym>/", views.IdentityPage.as_view(), name="identity"),
    path("patients/<str:pseudonym>/correct/", views.CorrectPage.as_view(), name="correct"),
]
