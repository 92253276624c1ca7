"""One run of the verifier, and its words on the command line."""

from __future__ import annotations

import argparse
import gc
import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from . import keys
from .findings import ALL, CannotVerify, Report

#: Exit codes.
INTACT, BROKEN, NOT_CHECKED, IN_PART = 0, 1, 2, 3
EVERY_SECONDS = 5.0
NO_DRIVER = "A database is checked with psycopg: python3 -m pip install 'psycopg[binary]'"

LINKS_HELP = "the quick check, for every night: bytes, hashes, order, links and heads of all streams; the report says what it leaves out"
STRICT_HELP = "exit code 3 where something is there that nothing was given to check with: for scripts that must not take it for intact"
SINCE_HELP = "with --links: only entries behind the last checkpoint, with --anchors behind the last one there; what lies before is compared by its last hashes"


@dataclass(frozen=True)
class Trust:
    """What the verifier is given from elsewhere than the database: where anchors lie, and whose signatures to check."""

    folder: str = ""
    """The folder of anchored checkpoints."""
    keys: str = ""
    """A file with the site keys and from which checkpoint on each signs; else the folder's key.txt and what the checkpoints announce."""
    tsa: str = ""
    """Certificates (PEM) of the time-stamp authority."""
    witnesses: tuple[str, ...] = ()
    """Keys of witnesses as text."""


def verify(
    url: str, *, stream: str | None = None, folder: str = "", trust: Trust | None = None, key_lines: list[str] | None = None,
    tell: Callable[[str], None] = lambda line: None,
) -> Report:  # fmt: skip
    """Checks the database at the address, or one stream of it. Memory stays bounded; `tell` gets lines of progress.

    `key_lines` are the sites' public keys: without them seals and checkpoints are looked for and not checked, and the verdict says so.
    Raises CannotVerify when the database cannot be read whole.
    """
    trust = trust or Trust(folder)
    try:  # only a database needs the driver: an evidence file is checked with the standard library alone
        from . import anchors, chain, noted, seals, tables, timestamps, witnesses
        from .database import Snapshot
        from .rows import RowCheck
    except ImportError as error:
        raise CannotVerify(NO_DRIVER) from error
    try:
        known = keys.read(key_lines) if key_lines else None
    except keys.BadKey as error:
        raise CannotVerify(f"The keys cannot be used: {error}") from error
    began = time.monotonic()
    report = Report(scope=f"stream {stream}" if stream else "whole database")
    snapshot = Snapshot(url)
    try:
        expected = int(snapshot.rows("SELECT greatest(reltuples, 0)::bigint FROM pg_class WHERE relname = 'mes_auditentry'")[0][0])
        rows, told = RowCheck(snapshot, report), began
        for batch in chain.entries(snapshot, report, stream):
            rows.check(batch)
            chain.siblings(snapshot, batch, report)
            now = time.monotonic()
            if now - told >= EVERY_SECONDS:
                told = now
                rate = report.entries / (now - began)
                of = f" of about {expected}" if expected > report.entries and not stream else ""
                tell(f"{report.entries} entries{of}, {rate:.0f} a second, {report.findings.total} breaks")
        chain.lost_streams(snapshot, report, stream)
        seals.check(snapshot, report, known, stream)
        if stream is None:
            tell("rows that no entry cites, records against their last version")
            tables.check(snapshot, report)
            noted.check(snapshot, report, known, anchored=bool(trust.folder))
            timestamps.check(snapshot, report, trust.tsa)
            witnesses.check(snapshot, report, trust.witnesses)
            if trust.folder:
                tell(f"checkpoints in {trust.folder}")
                anchors.check(snapshot, report, trust.folder, trust.keys)
        elif report.streams == 0:
            raise CannotVerify(f"There is no stream {stream}.")
    finally:
        snapshot.close()
    report.seconds = time.monotonic() - began
    return report


def verify_links(url: str, *, since_checkpoint: bool = False, trust: Trust, tell: Callable[[str], None] = lambda line: None) -> Report:
    """The quick check (links.py): bytes, hashes, order, links and heads, and with a folder of anchors these. Raises CannotVerify."""
    collecting = gc.isenabled()
    gc.disable()  # a third of the time of a short check goes by before it has begun, and no garbage is made in it
    try:
        from . import links
    except ImportError as error:
        raise CannotVerify(NO_DRIVER) from error
    finally:
        if collecting:
            gc.enable()
    return links.verify(url, since_checkpoint=since_checkpoint, folder=trust.folder, keys=trust.keys, tell=tell)


def misfit(*, links: bool, since_checkpoint: bool, stream: str | None) -> str:
    """A sentence where options do not go together, else ""."""
    if since_checkpoint and not links:
        return "--since-checkpoint goes with --links: the whole check always starts at the beginning."
    if links and stream:
        return "--links goes over all streams. For one stream leave it out: the whole check of one stream is short."
    return ""


def show(report: Report, *, as_json: bool, out: Callable[[str], None], strict: bool = False) -> int:
    """Writes the report; returns the exit code: with `strict` another one where something is there that nothing was given to check with."""
    if as_json:
        out(json.dumps(report.as_dict(), indent=2))
    else:
        for finding in report.findings.first.values():
            out(str(finding))
        more = report.findings.total - len(report.findings.first)
        if more:
            out(f"and {more} more breaks in these streams; --json lists them")
        for note in report.notes:
            out(note)
        if report.scope.startswith("stream "):
            out("Only this stream was checked; rows that no entry cites are found by a check of the whole database.")
        out(report.sentence())
    if not report.intact:
        return BROKEN
    return IN_PART if strict and not (report.complete and report.all_held == ALL) else INTACT


def show_proof(path: str, key: str) -> int:
    """Checks an inclusion proof in a file and says what it proves; `key` is the key's text, or the path of a file that holds it."""
    from . import inclusion

    if not key:
        print("Give the site's key with --key; take it from somebody else than the proof.", file=sys.stderr)
        return NOT_CHECKED
    try:
        if os.path.exists(key):
            key = Path(key).read_text(encoding="utf-8").strip()
        with open(path, encoding="utf-8") as file:
            proof = json.load(file)
    except (OSError, ValueError) as error:
        print(f"{path} cannot be read: {error}", file=sys.stderr)
        return NOT_CHECKED
    try:
        print(inclusion.check(proof, key))
    except inclusion.NotProven as error:
        print(error, file=sys.stderr)
        return BROKEN
    return INTACT


def main(words: list[str] | None = None) -> int:
    """The command line of cartulary-verify."""
    parser = argparse.ArgumentParser(
        prog="cartulary-verify",
        description="Checks the audit trail of a Cartulary database, or an evidence file. Exit code 0: intact, 1: broken, 2: not checked,"
        " 3: with --strict, intact as far as checked.",
    )
    parser.add_argument("--url", default=os.environ.get("VERIFY_DATABASE_URL", ""), help="else VERIFY_DATABASE_URL")
    parser.add_argument("--stream", help="check this stream only, for example lot:0192…")
    parser.add_argument("--anchors", default="", metavar="FOLDER", help="also check the anchored checkpoints in this folder")
    parser.add_argument("--keys", default="", metavar="FILE", help="site keys, one a line: first checkpoint it signs, key; else the folder's key.txt")
    parser.add_argument("--tsa", default="", metavar="FILE", help="certificates (PEM) of the time-stamp authority: also check the tokens' signatures")
    parser.add_argument("--witness", action="append", default=[], metavar="KEY", help="key of a witness as text: also check its co-signatures; may be repeated")
    parser.add_argument("--proof", default="", metavar="FILE", help="check an inclusion proof instead of a database; needs --key")
    parser.add_argument("--evidence", default="", metavar="FILE", help="check this evidence file instead of a database; needs nothing but Python")
    parser.add_argument("--key", default="", metavar="KEY.txt", help="the public keys of the site, one a line, as the site gave them to you")
    parser.add_argument("--links", action="store_true", help=LINKS_HELP)
    parser.add_argument("--since-checkpoint", action="store_true", help=SINCE_HELP)
    parser.add_argument("--strict", action="store_true", help=STRICT_HELP)
    parser.add_argument("--json", action="store_true", help="write the report as JSON")
    parser.add_argument("--quiet", action="store_true", help="no lines of progress")
    given = parser.parse_args(words)
    wrong = misfit(links=given.links, since_checkpoint=given.since_checkpoint, stream=given.stream)
    if wrong:
        print(wrong, file=sys.stderr)
        return NOT_CHECKED
    if given.proof:
        return show_proof(given.proof, given.key)
    if not given.url and not given.evidence:
        print("Give an evidence file with --evidence, or the address of a database with --url or VERIFY_DATABASE_URL.", file=sys.stderr)
        return NOT_CHECKED
    tell = (lambda line: None) if given.quiet else (lambda line: print(line, file=sys.stderr, flush=True))
    try:
        if given.evidence:
            from . import evidence

            report = evidence.verify(given.evidence, given.key)
        else:
            lines = Path(given.key).read_text().splitlines() if given.key else None
            trust = Trust(given.anchors, given.keys, given.tsa, tuple(given.witness))
            report = (
                verify_links(given.url, since_checkpoint=given.since_checkpoint, trust=trust, tell=tell)
                if given.links
                else verify(given.url, stream=given.stream, trust=trust, key_lines=lines, tell=tell)
            )
    except (CannotVerify, OSError) as error:
        print(error, file=sys.stderr)
        return NOT_CHECKED
    return show(report, as_json=given.json, out=print, strict=given.strict)
