"""Addresses of the web kit itself: the component gallery."""

from django.urls import path

from mes.web import views

urlpatterns = [
    path("ui/", views.gallery, name="gallery"),
    path("ui/<slug:name>/", views.gallery_shell, name="gallery_shell"),
]
