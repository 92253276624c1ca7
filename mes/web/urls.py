"""Addresses of the web kit itself: the first page, scans, health, the component gallery."""

from django.urls import path

from mes.web import health, home, views

app_name = "web"

urlpatterns = [
    path("", home.HomePage.as_view(), name="home"),
    path("go/", home.GoPage.as_view(), name="go"),
    path("livez", health.alive, name="alive"),
    path("readyz", health.ready, name="ready"),
    path("ui/", views.gallery, name="gallery"),
    path("ui/<slug:name>/", views.gallery_shell, name="gallery_shell"),
]
