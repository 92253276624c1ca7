"""Addresses of quality below /api/v1/, folder by folder."""

from importlib import import_module
from importlib.util import find_spec

FOLDERS = ("specifications", "samples", "deviations", "alerts", "review", "release", "analytics")
urlpatterns = [one for folder in FOLDERS if find_spec(f"quality.{folder}.api") for one in import_module(f"quality.{folder}.api").api_urls]
