"""The component gallery: every partial and every page shell from the real templates, with sample data."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from mes.web import gallery as samples


def gallery(request: HttpRequest) -> HttpResponse:
    """Every component on one page."""
    return render(request, "mes/web/gallery.html", samples.gallery())


def gallery_shell(request: HttpRequest, name: str) -> HttpResponse:
    """One page shell, filled with sample content. 404 for a name that is none."""
    if name not in samples.SHELLS:
        raise Http404("There is no such page shell.")
    return render(request, f"mes/web/shells/{name}.html", samples.SHELLS[name]())
