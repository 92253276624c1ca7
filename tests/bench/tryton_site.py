"""Tryton as it stands beside the product in tryton.py: an environment of its own, a database, a web server, a site and its people.

Nothing is prepared by hand: packages come by pip into the folder that is named, the modules are activated by trytond-admin, and
what a site needs (company, product, a quality control with its points, people) is made over JSON-RPC, as any client would.
"""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

VERSION = "8.2"
PACKAGES = (
    "trytond==8.2.1", "trytond-quality==8.2.0", "trytond-production==8.2.0", "trytond-stock-lot==8.2.0",
    # what those four need
    "trytond-company==8.2.0", "trytond-country==8.2.0", "trytond-currency==8.2.0", "trytond-party==8.2.0", "trytond-product==8.2.0",
    "trytond-stock==8.2.1", "defusedxml==0.7.1", "genshi==0.7.12", "lxml==6.1.3", "markupsafe==3.0.4", "polib==1.2.0", "puremagic==1.30",
    "pwdlib==0.3.1", "argon2-cffi==25.1.0", "argon2-cffi-bindings==26.2.0", "cffi==2.1.1", "pycparser==3.12", "python-dateutil==4.0.0",
    "python-sql==1.8.1", "python-stdnum==2.2", "relatorio==1.0.0", "simpleeval==1.0.8", "typing-extensions==4.16.0", "tzdata==2026.6",
    "werkzeug==3.1.9",
    # the driver and the web server that the product has too
    "psycopg==3.3.9", "psycopg-binary==3.3.9", "psycopg-pool==3.3.3", "gunicorn==27.0.1",
)  # fmt: skip
MODULES = ("production", "stock_lot", "quality")
ADMIN = "admin"
LOWER, UPPER = 70, 100
"""Tolerances of each point."""


def environment(folder: Path) -> Path:
    """The Python of an environment with exactly these packages, made where it is not there yet. Raises RuntimeError for a folder that is something else."""
    wanted, mark, python = "\n".join(PACKAGES), folder / "cartulary-bench.txt", folder / "bin" / "python"
    if mark.exists() and mark.read_text() == wanted:
        return python
    if folder.exists() and any(folder.iterdir()) and not (folder / "pyvenv.cfg").exists():
        raise RuntimeError(f"{folder} holds something else. Name another folder with --environment.")
    print(f"Making an environment for Tryton {VERSION} in {folder} ...", flush=True)
    subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
    subprocess.run([python, "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--no-deps", *PACKAGES], check=True)
    subprocess.run([python, "-m", "pip", "check", "-qq"], check=True)
    mark.write_text(wanted)
    return python


class Line:
    """A client's connection: kept where the server keeps it, opened anew where it closes it, as gunicorn's sync workers do after each answer."""

    def __init__(self, address: str) -> None:
        self.connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=120)

    def post(self, path: str, body: object, headers: dict[str, str], wanted: int = 200) -> bytes:
        """The body of the answer. Raises RuntimeError for any other status."""
        self.connection.request("POST", path, json.dumps(body).encode(), {"Content-Type": "application/json", **headers})
        answer = self.connection.getresponse()
        said = answer.read()
        if answer.status != wanted:
            raise RuntimeError(f"POST {path}: {answer.status}: {said[:500]!r}")
        self.cookies = answer.headers.get_all("Set-Cookie", [])
        return said


class Session:
    """Somebody signed in to Tryton, on a line of their own."""

    def __init__(self, address: str, database: str, login: str, password: str) -> None:
        self.line, self.path, self.headers = Line(address), f"/{database}/rpc/", {}
        user, token, *_ = self.call("common.db.login", login, {"password": password}, "en")
        self.headers["Authorization"] = "Session " + base64.b64encode(f"{login}:{user}:{token}".encode()).decode()
        self.prefer()

    def prefer(self) -> None:
        """The context that a client sends with each call: company, employee, groups, language."""
        self.context: dict = self.call("model.res.user.get_preferences", True, {})

    def call(self, method: str, *given: object):
        """The result of one call. Raises RuntimeError with what Tryton says."""
        said = json.loads(self.line.post(self.path, {"id": 1, "method": method, "params": given}, self.headers))
        if "error" in said:
            raise RuntimeError(f"{method}: {said['error']}")
        return said["result"]

    def create(self, model: str, **values: object) -> int:
        (made,) = self.call(f"model.{model}.create", [values], self.context)
        return made

    def find(self, model: str, *domain: object) -> int:
        (found,) = self.call(f"model.{model}.search", list(domain), 0, None, None, self.context)
        return found


def decimal(text: str) -> dict[str, str]:
    """An exact number as Tryton's JSON has it."""
    return {"__class__": "Decimal", "decimal": text}


@dataclass
class Site:
    """A company with a product, a quality control with its points, and people who inspect, each signed in on a line of their own."""

    company: int
    control: int
    people: list[Session]

    def inspect(self, by: Session, values: dict[str, str]) -> None:
        """What is measured: an inspection is created with its points and processed, two calls, for Tryton has none that does both."""
        points = {name: decimal(text) for name, text in values.items()}
        made = by.call("model.quality.inspection.create", [{"company": self.company, "control": self.control, "points": points}], by.context)
        by.call("model.quality.inspection.process", made, by.context)


def _furnish(admin: Session, names: list[str], points: int, password: str) -> tuple[int, int]:
    """The company and its quality control, and people with these names who may inspect."""
    euro = admin.create("currency.currency", name="Euro", code="EUR", rounding=decimal("0.01"), digits=2)
    company = admin.create("company.company", party=admin.create("party.party", name="Bench"), currency=euro)
    works_there = {"companies": [["add", [company]]], "company": company}
    admin.call("model.res.user.write", [admin.find("res.user", ["login", "=", ADMIN])], works_there, admin.context)
    admin.prefer()
    unit, quality = admin.find("product.uom", ["name", "=", "Unit"]), admin.find("res.group", ["name", "=", "Quality"])
    template = admin.create("product.template", name="Cells", type="goods", default_uom=unit, producible=True, products=[["create", [{}]]])
    product = admin.find("product.product", ["template", "=", template])
    lines = [
        {"name": f"reading_{n}", "string": f"Reading {n}", "type_": "numeric", "tolerance_lower": LOWER, "tolerance_upper": UPPER} for n in range(1, points + 1)
    ]
    control = admin.create("quality.control", name="Readings", company=company, product=product, operations=["production:run"], points=[["create", lines]])
    for name in names:
        employee = admin.create("company.employee", party=admin.create("party.party", name=name), company=company)
        admin.create(
            "res.user", name=name, login=name, password=password, employees=[["add", [employee]]], employee=employee, groups=[["add", [quality]]],
            **works_there,
        )  # fmt: skip
    return company, control


@contextlib.contextmanager
def serving(python: Path, admin_url: str, name: str, folder: Path, *, points: int, people: int) -> Iterator[Site]:
    """A site on a database of that name, made on the server of `admin_url` and dropped at the end; its web server has two sync workers."""
    from mes.embedded.roles import with_database

    password, names = secrets.token_urlsafe(16), [f"inspector{number}" for number in range(people)]
    settings, secret, log = folder / "trytond.conf", folder / "password", folder / "tryton.log"
    settings.write_text(f"[database]\nuri = {with_database(admin_url, '')}\n")
    secret.write_text(password)
    env = {key: value for key, value in os.environ.items() if not key.startswith(("TRYTOND", "PYTHON", "DJANGO"))}
    env |= {"TRYTOND_CONFIG": str(settings), "TRYTOND_DATABASE_NAMES": name, "TRYTONPASSFILE": str(secret)}
    with psycopg.connect(with_database(admin_url, "postgres"), autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'").format(sql.Identifier(name)))
        try:
            words = ["-c", settings, "-d", name, "-u", *MODULES, "--activate-dependencies", "--email", "admin@example.com"]
            with open(log, "w") as file:
                done = subprocess.run([python.parent / "trytond-admin", *words], env=env, stdin=subprocess.DEVNULL, stdout=file, stderr=file)
            if done.returncode:
                raise RuntimeError(f"trytond-admin failed:\n{log.read_text()[-3000:]}")
            # One worker knows at once what it was told; of two, the other may for a while refuse what the first has just made.
            with _answering(python, env, log, workers=1) as address:
                company, control = _furnish(Session(address, name, ADMIN, password), names, points, password)
            with _answering(python, env, log, workers=2) as address:
                yield Site(company, control, [Session(address, name, each, password) for each in names])
        finally:
            admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


@contextlib.contextmanager
def _answering(python: Path, env: dict[str, str], log: Path, *, workers: int, seconds: float = 60) -> Iterator[str]:
    """The address of a web server with so many sync workers, stopped at the end."""
    from tests.builders.server import free_port

    address = f"127.0.0.1:{free_port()}"
    words = [python, "-m", "gunicorn", "trytond.application:app", "-b", address, "-k", "sync", "-w", str(workers), "-t", "120"]
    with open(log, "a") as file:
        process = subprocess.Popen(words, env=env, cwd=log.parent, stdout=file, stderr=file)
        try:
            until = time.monotonic() + seconds
            while True:
                try:
                    Line(f"http://{address}").post("/rpc/", {"id": 1, "method": "common.server.version", "params": []}, {})
                    break
                except OSError:
                    if process.poll() is not None or time.monotonic() > until:
                        raise RuntimeError(f"Tryton did not answer:\n{log.read_text()[-3000:]}") from None
                    time.sleep(0.2)
            yield f"http://{address}"
        finally:
            process.terminate()
            process.wait(timeout=30)


def counted(connection: psycopg.Connection, points: int) -> int:
    """How many inspections the database holds that passed, were processed by an employee, and have all their points."""
    return connection.execute(
        "SELECT count(*) FROM quality_inspection WHERE state = 'passed' AND processed_at IS NOT NULL AND processed_by IS NOT NULL"
        " AND (SELECT count(*) FROM jsonb_object_keys(points)) = %s",
        [points],
    ).fetchone()[0]
