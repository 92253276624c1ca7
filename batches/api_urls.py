"""Addresses of batches below /api/v1/: the list `api_urls` in each folder's urls.py."""

from importlib import import_module
from importlib.util import find_spec

from batches.urls import FOLDERS

urlpatterns = [
    address for folder in FOLDERS if find_spec(f"batches.{folder}.urls") for address in getattr(import_module(f"batches.{folder}.urls"), "api_urls", [])
]
