"""Addresses of quality, folder by folder."""

from importlib.util import find_spec

from django.urls import include, path

app_name = "quality"

FOLDERS = ("specifications", "samples", "deviations", "alerts", "review", "release", "analytics")
urlpatterns = [path("", include(f"quality.{folder}.urls")) for folder in FOLDERS if find_spec(f"quality.{folder}.urls")]
