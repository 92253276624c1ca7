"""Addresses of batches, by folder: `batches:lots:detail`."""

from importlib.util import find_spec

from django.urls import include, path

app_name = "batches"

FOLDERS = ("lots", "custody", "subjects", "materials", "readings", "equipment", "recipes", "execution", "dossier")

urlpatterns = [path("", include(f"batches.{folder}.urls")) for folder in FOLDERS if find_spec(f"batches.{folder}.urls")]
