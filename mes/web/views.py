"""The component gallery: every partial and every page shell from the real templates, with sample data."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from mes.web import gallery as samples


def not_for_patients() -> None:
    """Raises Http404 in production: made-up contents have no place beside those of patients. OWASP ASVS 5.0, V15.2.3."""
    if settings.CARTULARY_MODE == "production":
        raise Http404("There is no such page.")


def gallery(request: HttpRequest) -> HttpResponse:
    """Every component on one page."""
    not_for_patients()
    return render(request, "mes/web/gallery.html", samples.gallery())


def gallery_shell(request: HttpRequest, name: str) -> HttpResponse:
    """One page shell, filled with sample content. 404 for a name that is none."""
    not_for_patients()
    if name not in samples.SHELLS:
        raise Http404("There is no such page shell.")
    return render(request, f"mes/web/shells/{name}.html", samples.SHELLS[name]())
