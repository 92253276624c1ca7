"""The version of the review's rules follows the rules: which finders there are, what each does, and what the table says of every kind.

A signed review names the version by which it was made. One name for two sets of rules would say that a finder was asked that did not exist.
"""

from __future__ import annotations

import ast
import hashlib
import inspect

from quality.review import findings, kinds

#: The version and the digest of the rules it names. Earlier versions are in the history of this file.
VERSION, DIGEST = "R-4", "c97a8e56ebf0ac70"


def digest() -> str:
    """Of the finders in their order, all that findings.py does, and the tables; comments between functions and white space count for nothing."""
    told = [*(finder.__name__ for finder in findings.FINDERS), *(_told(node) for node in ast.parse(_source()).body if isinstance(node, ast.FunctionDef))]
    told += [f"{event} {each.words} {each.risk}" for event, each in sorted(kinds.SIGNIFICANT.items())]
    told += [f"{event} {why}" for event, why in sorted(kinds.INFORMATIONAL.items())] + sorted(kinds.QUIET)
    return hashlib.sha256("\n".join(told).encode()).hexdigest()[:16]


def _source() -> str:
    return inspect.getsource(findings)


def _told(node: ast.FunctionDef) -> str:
    """A function's text without its first sentence and without white space: the same under every version of Python."""
    lines = _source().splitlines()
    has_words = ast.get_docstring(node) is not None
    body = lines[node.body[1 if has_words else 0].lineno - 1 : node.end_lineno]
    return node.name + "".join("".join(line.split()) for line in body if not line.strip().startswith("#"))


def test_the_version_is_raised_with_the_rules():
    assert (kinds.RULES_VERSION, digest()) == (VERSION, DIGEST), (
        f"The rules of the review changed: raise RULES_VERSION in quality/review/kinds.py (it says {kinds.RULES_VERSION}, {VERSION} had the digest {DIGEST})"
        f" and write the new version with the digest {digest()} here."
    )


def test_one_finder_more_or_another_condition_makes_another_digest(monkeypatch):
    before = digest()
    with monkeypatch.context() as patch:
        patch.setattr(findings, "FINDERS", findings.FINDERS[:-1])
        assert digest() != before
    with monkeypatch.context() as patch:
        patch.setattr(kinds, "QUIET", kinds.QUIET - {min(kinds.QUIET)})
        assert digest() != before
    other = _source().replace('{"hard_limit": "critical"', '{"hard_limit": "minor"')
    with monkeypatch.context() as patch:
        patch.setitem(globals(), "_source", lambda: other)
        assert digest() != before
    assert digest() == before
