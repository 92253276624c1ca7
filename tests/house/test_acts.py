"""What a refused attempt tried, and what kind of refusal it was, can always be said in words."""

import ast
from collections import defaultdict

import pytest
from django.urls import URLPattern, get_resolver

from mes import acts
from mes.errors import RuleBroken
from mes.inspection import refusals
from mes.records import door
from mes.web.pages import Page
from tests.house.source import dotted, load_all, modules, report


def literal(node: ast.AST | None) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


@pytest.mark.req("AUD-09", case="negative")
def test_every_deed_that_can_be_refused_has_words():
    load_all("services")
    names = {name.rsplit(".", 1)[-1] for name in door.SERVICES if not name.startswith("tests.")}
    for module in modules():
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Call) and dotted(node.func).rsplit(".", 1)[-1] == "record_refusal":
                told = [literal(each) for each in (*node.args, *(one.value for one in node.keywords))]
                names |= {each for each in told if each}
    missing = sorted(names - set(acts.DEEDS))
    assert not missing, report(missing, "deeds without words; add them to DEEDS in mes/acts.py")
    gone = sorted(set(acts.DEEDS) - names)
    assert not gone, report(gone, "words for deeds that are none; take them out of DEEDS in mes/acts.py")
    assert all("_" not in acts.deed_words(name) for name in names)


@pytest.mark.req("AUD-09", case="negative")
def test_every_kind_of_refusal_has_words():
    kinds = {"identity_read"}
    for module in modules():
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Call):
                kinds |= {literal(each.value) for each in node.keywords if each.arg == "security"} - {""}

    def below(kind: type) -> set[type]:
        return {kind}.union(*(below(each) for each in kind.__subclasses__()))

    kinds |= {each.security for each in below(RuleBroken) if each.security and each.__module__.split(".")[0] in {"mes", "batches", "quality"}}
    assert {"authority_refused", "wrong_scan"} <= kinds and kinds >= refusals.NOT_REFUSED
    missing = sorted(kinds - set(acts.KINDS))
    assert not missing, report(missing, "kinds of refusal without words; add them to KINDS in mes/acts.py")


def views(patterns) -> set[type]:
    found = set()
    for each in patterns:
        if isinstance(each, URLPattern):
            kind = getattr(each.callback, "view_class", None) or getattr(each.callback, "cls", None)
            found |= {kind} if kind else set()
        else:
            found |= views(each.url_patterns)
    return {each for each in found if each.__module__.split(".")[0] in {"mes", "batches", "quality"}}


@pytest.mark.req("AUD-09", case="negative")
def test_a_page_or_call_that_was_refused_is_told_without_the_name_of_its_class():
    names = {each.__name__ for each in views(get_resolver().url_patterns)}
    assert len(names) > 50
    told = {name: (acts.deed_words(f"open {name}"), acts.deed_words(name)) for name in names}
    raw = sorted(name for name, words in told.items() if any(name in each or each.lower() != each for each in words))
    assert not raw, report(raw, "views that are told by the name of their class")
    # As it was kept before the folder was
    assert acts.deed_words("open AuditPage") == "open the page “audit”"


@pytest.mark.req("AUD-09", case="negative")
def test_no_two_pages_or_calls_that_were_refused_are_told_by_the_same_words():
    found = views(get_resolver().url_patterns)
    told = defaultdict(set)
    for view in found:
        kept = acts.opening(view) if issubclass(view, Page) else acts.named(view)
        assert len(kept) <= 80
        told[acts.deed_words(kept)].add(f"{view.__module__}.{view.__name__}")
    same = {words: sorted(each) for words, each in told.items() if len(each) > 1}
    assert not same, report(same, "Give one of them another name: a refused attempt says which page it was.")
    lacking = {view.__module__.split(".")[1] for view in found} - set(acts.AREAS) - {"web", "api"}
    assert not lacking, report(lacking, "Say in AREAS of mes/acts.py what the navigation calls it.")
    pages = {acts.deed_words(acts.opening(each)) for each in found if each.__name__ == "ListPage"}
    assert {"open the page “deviations, list”", "open the page “alerts, list”"} <= pages
