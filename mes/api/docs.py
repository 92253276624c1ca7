"""The description of the API and its pages, from our own static files."""

from __future__ import annotations

from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView


class SchemaView(SpectacularAPIView):
    """The OpenAPI 3 description, for anyone: it tells shapes, never contents."""

    open_to_anyone = True
    authentication_classes = []
    schema = None


class DocsView(SpectacularSwaggerSplitView):
    """The description as pages. The script comes from the same address with `?script`, so that nothing is inline."""

    open_to_anyone = True
    authentication_classes = []
    schema = None
    url_name = "api:schema"
    template_name = "mes/api/docs.html"
