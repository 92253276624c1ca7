"""Where every address begins."""

from importlib.util import find_spec

from django.urls import URLPattern, URLResolver, include, path

handler404 = "mes.web.problems.not_found"
handler500 = "mes.web.problems.failed"

#: Addresses of mes by folder, then of the apps and the API above it, each where it has any.
FOLDERS = ("mes.web.urls", "mes.people.urls", "mes.passkeys.urls", "mes.signatures.urls", "mes.access.urls", "mes.inspection.urls")
ABOVE = {"batches.urls": "", "quality.urls": "", "mes.api_urls": "api/v1/"}


def present(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False


urlpatterns: list[URLPattern | URLResolver] = [
    # First what has a beginning of its own: the API is found without trying the address of every page.
    *(path(prefix, include(module)) for module, prefix in ABOVE.items() if prefix and present(module)),
    path("", include(([path("", include(module)) for module in FOLDERS if present(module)], "mes"))),
    *(path(prefix, include(module)) for module, prefix in ABOVE.items() if not prefix and present(module)),
]
