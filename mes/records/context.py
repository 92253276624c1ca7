"""Reads happen inside site_context(): a short transaction in which row-level security shows one site's rows."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.db import connection, transaction

from mes.errors import NoSiteContext

_site: ContextVar[uuid.UUID | None] = ContextVar("cartulary_site", default=None)


@contextmanager
def site_context(site_id: uuid.UUID, *, writable: bool = False, snapshot: bool = False) -> Iterator[None]:
    """Open a read-only transaction in which only this site's rows are seen.

    Nested inside another context of the same site, or inside a deed, it does nothing. `writable` is for working rows
    (signing intents, idempotency keys), never for Records or Facts: those need a deed. `snapshot` lets every read inside
    see the same moment (repeatable read), for what is shown and digested together.
    """
    if site_id is None:
        raise NoSiteContext(
            "a read without a site; give site_context() the id of the site"
        )
    if _site.get() == site_id:
        yield
        return
    if _site.get() is not None:
        raise NoSiteContext(
            "one site's context is open; leave it before another site is read"
        )
    token = _site.set(site_id)
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                if snapshot and not _inside_test_transaction():
                    cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
                # set_config(…, true) lasts to the end of this transaction and cannot leak to the next
                cursor.execute(
                    "SELECT set_config('cartulary.site', %s, true)", [str(site_id)]
                )
                if not writable and not _inside_test_transaction():
                    cursor.execute("SET TRANSACTION READ ONLY")
            yield
            if _inside_test_transaction():
                _clear()
    finally:
        _site.reset(token)


def _inside_test_transaction() -> bool:
    # A rollback test keeps one outer transaction open; there a transaction-local setting outlives this block and must
    # be cleared by hand. Django marks such blocks itself.
    return any(
        getattr(block, "_from_testcase", False) for block in connection.atomic_blocks
    )


def _clear() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('cartulary.site', '', true)")


def current_site() -> uuid.UUID | None:
    """The site whose rows can be read now, or None."""
    return _site.get()
