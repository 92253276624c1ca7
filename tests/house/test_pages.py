"""Every template is used, every address needs somebody who is signed in unless it is listed, and none is answered to a stranger."""

import re
import uuid
from fnmatch import fnmatch
from functools import cache

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from mes.api.views import ServiceView
from mes.web.pages import Page
from tests.house.source import ROOT, calls, modules, report, texts

TEMPLATES = ROOT / "templates"

#: Templates that no source names in full, with who draws them.
NAMED_BY_RULE: dict[str, str] = {
    "400.html": "Django, for a request that cannot be read",
    "403.html": "Django, for a forbidden one",
    "404.html": "Django, where our own handler cannot",
    "500.html": "the same",
    "mes/web/shells/*.html": "the gallery at /ui/, each by its name",
}

#: Addresses for whoever asks, by route, each with its reason.
OPEN = {
    "sign-in/": "signing in",
    "sign-in/site/": "choosing the site, after the password",
    "sign-in/second-factor/": "the second factor, after the password; without a session it leads to signing in",
    "sign-out/": "a session that is over is signed out of too",
    "lock/": "covers a session; without one it leads to signing in",
    "lock/touch/": "says that somebody is there; without a session it does nothing",
    "unlock/": "lifts the cover; without a session it leads to signing in",
    "switch/": "hands the station over; without a session it leads to signing in",
    "join/<str:token>/": "the first secrets of somebody enrolled, under a signed address",
    "verify/": "whether a printed certificate still holds: for whoever has the paper, shows no more than its number",
    "verify/<str:code>/": "the same",
    "livez": "asked by the machine that watches",
    "readyz": "asked by the machine that watches",
    "ui/": "the components, with made-up content",
    "ui/<slug:name>/": "the same",
    "api/v1/schema/": "shapes, never contents",
    "api/v1/docs/": "the same as pages",
    "api/v1/session/": "signing in over the API",
    "api/v1/^.*$": "says that there is no such address",
}
#: Modules of views for everybody who is signed in, each with its reason; what they name themselves is asked all the same.
EVERYBODY = {
    "mes.*": "own secrets, own session, the first page, the way to a scanned thing: each acts on the person alone",
    "quality.alerts.views": "whether the watch runs has to be seen by whoever stands there",
}
#: A value for each kind of argument in an address.
ARGUMENTS = {"uuid": str(uuid.UUID(int=7)), "int": "1", "slug": "x", "str": "x", "path": "x"}


@cache
def routes() -> dict[str, object]:
    """Every address of ours with what answers it."""
    found = {}

    def walk(patterns, prefix=""):
        for pattern in patterns:
            route = prefix + str(pattern.pattern)
            if isinstance(pattern, URLResolver):
                walk(pattern.url_patterns, route)
            elif isinstance(pattern, URLPattern):
                found[route] = pattern.callback

    walk(get_resolver("mes.urls").url_patterns)
    return found


def is_open(callback) -> bool:
    view = getattr(callback, "view_class", getattr(callback, "cls", None))
    if view is not None and issubclass(view, Page):
        return view.open_to_all
    if view is not None and issubclass(view, ServiceView):
        return view.open_to_anyone
    return True  # a plain function or a foreign view asks nobody


def test_every_view_needs_somebody_signed_in_unless_it_is_listed():
    found = {route: getattr(callback, "__qualname__", callback) for route, callback in routes().items() if is_open(callback) and route not in OPEN}
    assert not found, report(found, "Derive it from Page or ServiceView, or list the route in OPEN with a reason.")


def test_every_listed_open_address_exists_and_is_open():
    gone = set(OPEN) - set(routes())
    assert not gone, report(gone, "Take these out of OPEN: there is no such address.")
    closed = {route for route in OPEN if not is_open(routes()[route])}
    assert not closed, report(closed, "Take these out of OPEN: they ask who it is.")


def address(route: str) -> str:
    filled = re.sub(r"<(?:(\w+):)?\w+>", lambda found: ARGUMENTS[found[1] or "str"], route)
    return "/" + filled.replace("^.*$", "nothing").replace("^", "").replace("$", "")


@pytest.mark.req("ACC-02", case="negative")
@pytest.mark.django_db
def test_a_stranger_is_told_to_sign_in_at_every_other_address():
    found = {}
    for route in routes():
        if route in OPEN:
            continue
        for method in ("get", "post"):
            answer = getattr(Client(), method)(address(route))
            told = answer.status_code in (401, 403) or (answer.status_code == 302 and answer["Location"].startswith("/sign-in/"))
            if not told:
                found[f"{method.upper()} {address(route)}"] = f"answered {answer.status_code}"
    assert not found, report(found, "Nobody who is not signed in gets an answer here.")


@pytest.mark.req("ACC-02", case="negative")
def test_every_page_and_api_view_names_the_right_it_needs():
    """None means: everybody who is signed in. That is said in EVERYBODY, with the reason."""
    found = {}
    for route, callback in routes().items():
        view = getattr(callback, "view_class", getattr(callback, "cls", None))
        if route in OPEN or view is None or any(fnmatch(view.__module__, pattern) for pattern in EVERYBODY):
            continue
        asked = getattr(view, "permission", None) or getattr(view, "permissions", None) or "asked_permission" in vars(view)
        if not asked and not any("check_may" in name or "check_can" in name for name in _names(view)):
            found[route] = view.__qualname__
    assert not found, report(found, "Set `permission` (Page) or `permission`/`permissions` (ServiceView).")


def _names(view) -> set[str]:
    import inspect

    return set(re.findall(r"\w+", inspect.getsource(view)))


def mentioned() -> set[str]:
    """Every template name in sources and templates."""
    found = set()
    for module in modules():
        for text, _ in texts(module.tree):
            found |= set(re.findall(r"[\w./-]+\.(?:html|txt|xml|js)", text))
    for path in TEMPLATES.rglob("*.*"):
        found |= set(re.findall(r"""["']([\w./-]+\.(?:html|txt|xml|js))["']""", path.read_text()))
    # The component layer is a library: what is described there for builders of pages has its use.
    return found | set(re.findall(r"`((?:_components|_shells)/[\w./-]+\.html)`", (ROOT / "docs" / "components.md").read_text()))


def test_every_template_is_used():
    names = {str(path.relative_to(TEMPLATES)) for path in TEMPLATES.rglob("*.*")}
    idle = {name for name in names - mentioned() if not any(fnmatch(name, rule) for rule in NAMED_BY_RULE)}
    assert not idle, report(idle, "Draw it, include it, or take it out.")


def test_every_template_that_is_named_exists():
    names = {str(path.relative_to(TEMPLATES)) for path in TEMPLATES.rglob("*.*")}
    missing = {}
    for module in modules():
        for text, node in texts(module.tree):
            if re.fullmatch(r"(?:mes|batches|quality|_components)/[\w./-]+\.html", text) and text not in names:
                missing[module.where(node)] = text
    for path in TEMPLATES.rglob("*.html"):
        for name in re.findall(r"""{%\s*(?:include|extends)\s+["']([\w./-]+)["']""", path.read_text()):
            if name not in names:
                missing[str(path.relative_to(ROOT))] = name
    assert not missing, report(missing, "There is no such template.")


def test_no_template_carries_its_own_style_or_script():
    found = {}
    for path in TEMPLATES.rglob("*.html"):
        if path.name.endswith(".pdf.html") or path.name == "base_pdf.html":
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if re.search(r"<style|\sstyle=|<script(?![^>]*\ssrc=)|\son\w+=", line):
                found[f"{path.relative_to(ROOT)}:{number}"] = line.strip()[:80]
    assert not found, report(found, "Styles live in static/css, behaviour in static/js: the policy runs nothing inline.")


#: Files that write times for machines, or are the one way to write them for people.
TIMES_OF_THEIR_OWN = {
    "mes/clock.py": "the one way",
    "mes/web/templatetags/ui.py": "the tag {% when %}",
    "mes/web/timeline.py": "days beside their month",
    "mes/checkpoints/anchors.py": "a time in the name of a place",
    "mes/web/pdf.py": "the date inside a PDF",
    "mes/audit/chain.py": "the canonical bytes",
    "mes/checkpoints/timestamps.py": "a field of ASN.1",
    "mes/settings.py": "the API",
    "mes/verifier/canon.py": "the canonical bytes",
    "mes/verifier/timestamps.py": "a field of ASN.1",
    "quality/watch.py": "the day in the cause of an alert",
}
_TIME_FORMAT = re.compile(r"%-?[aAbBdHIMSYj]")


def test_times_for_people_are_written_in_one_way():
    found = {}
    for module in modules():
        path = str(module.path.relative_to(ROOT))
        if path in TIMES_OF_THEIR_OWN or "/demo/" in path:
            continue
        for text, node in texts(module.tree):
            if _TIME_FORMAT.match(text) or text.rstrip(" .").endswith(" UTC"):
                found[module.where(node)] = text
    for path in TEMPLATES.rglob("*.html"):
        for hit in re.findall(r"\{\{[^}]*\|(?:date|time)\b[^}]*\}\}|\{\{ *[\w.]*(?:_at|_from|_until|\.due|isoformat) *\}\}", path.read_text()):
            if hit not in ("{{ check.looked_at }}", "{{ claimed_at }}", "{{ now.isoformat }}"):
                found[str(path.relative_to(ROOT))] = hit
    assert not found, report(found, "Show times by {% when %} or mes.clock (moment_words, short_words, day_words): the site's zone, and its name.")


def test_no_list_opens_on_an_answer_and_no_reason_stands_in_an_address():
    found = {}
    for module in modules():
        for name, call in calls(module.tree):
            if name == "forms.ChoiceField" and not any(word.arg == "widget" for word in call.keywords):
                found[module.where(call)] = "a list that opens on its first line: use mes.web.fields.ChosenField"
            if name.endswith("GET.get") and call.args and getattr(call.args[0], "value", "") in ("reason", "why", "remark", "comment"):
                found[module.where(call)] = "a reason read from an address: take it by POST (SigningPage.carried)"
    for path in TEMPLATES.rglob("*.html"):
        for form in re.findall(r'<form[^>]*method="get".*?</form>', path.read_text(), re.S):
            if re.search(r'name="(?:reason|why|remark|comment)"', form):
                found[str(path.relative_to(ROOT))] = "a form that puts a reason into an address: post it"
    assert not found, report(found, "What a person chose was chosen, and what a person wrote stays out of logs.")


@pytest.mark.req("SIG-06", case="negative")
def test_a_reason_that_is_typed_beside_the_secrets_is_signed_wherever_a_meaning_needs_one():
    from mes.signatures.api import SigningView
    from mes.signatures.meanings import MEANINGS
    from mes.signatures.pages import SigningPage

    views = {getattr(callback, "view_class", getattr(callback, "cls", None)) for callback in routes().values()}
    bare = set()
    for view in views:
        base = next((each for each in (SigningPage, SigningView) if view is not None and issubclass(view, each)), None)
        if base is not None and view.meaning in MEANINGS and MEANINGS[view.meaning].needs_reason and view.with_reason is base.with_reason:
            bare.add(f"{view.__module__}.{view.__name__}")
    assert not bare, report(bare, "Say in with_reason() what is signed once the reason is typed: content without it could be signed for any reason.")
