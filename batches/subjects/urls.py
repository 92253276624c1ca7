"""Addresses of the vault: the pseudonym, never the patient."""

from django.urls import path

from batches.subjects import views

app_name = "subjects"

urlpatterns = [
    path("patients/", views.PatientsPage.as_view(), name="list"),
    path("patients/<str:pseudonym>/", views.IdentityPage.as_view(), name="identity"),
    path("patients/<str:pseudonym>/correct/", views.CorrectPage.as_view(), name="correct"),
    path("patients/<str:pseudonym>/erase/", views.ErasePage.as_view(), name="erase"),
]
