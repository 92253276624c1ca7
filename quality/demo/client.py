"""A person at a keyboard, over public HTTP: signs in, reads, posts, signs. Nothing of Django, nothing of the database.

Each person has a session of their own. A session that was covered after idle time is unlocked with the person's own secret,
as at a station. Refusals are raised as Refused, with the code and the sentence that a page would show.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import html
import http.cookiejar
import json
import re
import struct
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

SECONDS = 60
CODE_SECONDS = 30
SOON_OVER = 5


class Refused(Exception):
    """The server refused: HTTP status, code and sentence as in problem+json, or the words of a page."""

    def __init__(self, status: int, code: str, sentence: str, where: str, body: Any = None):
        super().__init__(f"{where}: {status} {code}: {sentence}")
        self.status, self.code, self.sentence, self.where, self.body = status, code, sentence, where, body


@dataclass
class Answer:
    """What came back: status, headers, raw bytes, and the address it came from after redirects."""

    status: int
    headers: Any
    content: bytes
    url: str

    def json(self) -> Any:
        return json.loads(self.content)

    @property
    def text(self) -> str:
        return self.content.decode(errors="replace")


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_args, **_more):
        return None


@dataclass
class Person:
    """One made-up person with their secrets and their own session. `totp` is the authenticator's secret in base32, once enrolled."""

    base: str
    username: str
    full_name: str
    password: str
    pin: str
    badge: str = ""
    totp: str = ""
    on_enrolled: Callable[[str], None] = lambda secret: None
    token: str = ""
    used_step: int = 0
    calls: int = 0
    opener: urllib.request.OpenerDirector = field(init=False, repr=False)
    jar: http.cookiejar.CookieJar = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.jar = http.cookiejar.CookieJar()
        self.opener = urllib.request.build_opener(NoRedirect(), urllib.request.HTTPCookieProcessor(self.jar))

    # --- the session --------------------------------------------------------------------------------------------------

    def sign_in(self) -> Person:
        """Sign in with user name and password."""
        answer = self._send("POST", "/api/v1/session/", json.dumps({"username": self.username, "password": self.password}).encode(), {})
        self._check(answer, "/api/v1/session/")
        self.token = answer.json()["csrf_token"]
        return self

    def _unlock(self) -> None:
        body = urllib.parse.urlencode({"who": self.username, "secret": self.password, "csrfmiddlewaretoken": self.token}).encode()
        answer = self._send("POST", "/unlock/", body, {"Content-Type": "application/x-www-form-urlencoded"})
        if answer.status >= 400:
            self.sign_in()

    # --- the API ------------------------------------------------------------------------------------------------------

    def get(self, path: str, **query: Any) -> Any:
        """What the API answers to a GET, as parsed JSON. Raises Refused."""
        return self._call("GET", self._path(path, query)).json()

    def get_bytes(self, path: str) -> Answer:
        """A file from the API or a page, whole. Raises Refused."""
        return self._call("GET", path, accept="*/*")

    def post(self, path: str, body: dict | None = None, *, key: str = "") -> Any:
        """Post JSON with an idempotency key (a new one unless given) and return the parsed answer. Raises Refused."""
        return self._write("POST", path, body, key)

    def post_bytes(self, path: str) -> Answer:
        """Post nothing and return the file that is made for it, whole. Raises Refused."""
        return self._call("POST", path, b"{}", {"Content-Type": "application/json"}, accept="*/*")

    def _write(self, method: str, path: str, body: dict | None, key: str) -> Any:
        headers = {"Content-Type": "application/json", "Idempotency-Key": key or str(uuid.uuid4())}
        answer = self._call(method, path, json.dumps(body or {}).encode(), headers)
        return answer.json() if answer.content else None

    def upload(self, path: str, fields: dict[str, str], file_name: str, content: bytes, media_type: str, *, key: str = "", part: str = "file") -> Any:
        """Post a file as multipart/form-data. Raises Refused."""
        mark = uuid.uuid4().hex
        parts = [
            f'--{mark}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode() for name, value in fields.items()
        ]  # fmt: skip
        head = f'--{mark}\r\nContent-Disposition: form-data; name="{part}"; filename="{file_name}"\r\nContent-Type: {media_type}\r\n\r\n'
        body = b"".join([*parts, head.encode(), content, f"\r\n--{mark}--\r\n".encode()])
        headers = {"Content-Type": f"multipart/form-data; boundary={mark}", "Idempotency-Key": key or str(uuid.uuid4())}
        return self._call("POST", path, body, headers).json()

    def sign(self, path: str, *, signer: Person | None = None, reason: str = "", query: dict[str, str] | None = None) -> Any:
        """Sign what `path` prepares (GET shows it, POST signs it) with the signer's secrets, in this person's session.

        The signer is this person unless another stands beside. `query` is what is decided and not on the record yet: it stands in the
        address of both calls. `reason` is for meanings that need one. Raises Refused.
        """
        signer, path = signer or self, self._path(path, query or {})
        prepared = self.get(path)
        body = {"intent": prepared["intent"], "username": signer.username, "secret": signer.pin if prepared["proof"] == "floor" else signer.password}
        if prepared["proof"] == "certify":
            body["code"] = signer.next_code()
        return self.post(path, body | ({"reason": reason} if reason else {}))

    # --- pages --------------------------------------------------------------------------------------------------------

    def page(self, path: str) -> str:
        """The HTML of a page. Raises Refused."""
        return self._call("GET", path, accept="text/html").text

    def submit(self, path: str, fields: dict[str, str]) -> Answer:
        """Post a page's form. A 303 or 302 is the answer of a deed that was done. Raises Refused with the page's words."""
        body = urllib.parse.urlencode({**fields, "csrfmiddlewaretoken": self.token}).encode()
        return self._call("POST", path, body, {"Content-Type": "application/x-www-form-urlencoded"}, accept="text/html")

    def sign_page(self, path: str, *, signer: Person | None = None, **fields: str) -> Answer:
        """Sign on the page of an act, as a person in a browser does. `fields` are further fields of its form. Raises Refused."""
        signer = signer or self
        shown = self.page(path)
        found = re.search(r'name="intent" value="([^"]+)"', shown)
        if found is None:
            raise Refused(200, "no_intent_shown", words_on(shown), path)
        secret = signer.password if 'autocomplete="current-password"' in shown else signer.pin
        body = {"intent": found[1], "who": signer.username, "secret": secret, **fields}
        if 'name="code"' in shown:
            body["code"] = signer.next_code()
        return self.submit(path, body)

    # --- the authenticator --------------------------------------------------------------------------------------------

    def enrol_authenticator(self, witness: Person) -> None:
        """Enrol an authenticator on one's own page, unless one is known, and confirm it with its first code before a second person."""
        if self.totp:
            return
        self.submit("/me/authenticator/", {"current": self.password})
        found = re.search(r"((?:[A-Z2-7]{4} ){7}[A-Z2-7]{4})", html.unescape(self.page("/me/authenticator/")))
        if found is None:
            raise Refused(200, "no_secret_shown", "The page of the authenticator showed no secret.", "/me/authenticator/")
        self.totp = found[1].replace(" ", "")
        self.submit("/me/authenticator/", {"code": self.next_code(), "witness": witness.username, "witness_password": witness.password})
        self.on_enrolled(self.totp)

    def next_code(self) -> str:
        """A one-time code that was not used yet: of the step before, this one, or the next; waits where all three are used."""
        while True:
            now, into = divmod(time.time(), CODE_SECONDS)
            # near its end the code before would be too old by the time it is looked at
            step = max(int(now) - (into < CODE_SECONDS - SOON_OVER), self.used_step + 1)
            if step <= int(now) + 1:
                self.used_step = step
                return one_time_code(self.totp, step)
            time.sleep(0.5)

    # --- how it is sent -----------------------------------------------------------------------------------------------

    def _path(self, path: str, query: dict[str, Any]) -> str:
        given = {name: value for name, value in query.items() if value not in (None, "")}
        return f"{path}?{urllib.parse.urlencode(given, doseq=True)}" if given else path

    def _call(self, method: str, path: str, body: bytes | None = None, headers: dict | None = None, *, accept: str = "application/json") -> Answer:
        if not self.token:
            self.sign_in()
        headers = {"Accept": accept, **(headers or {})}
        for attempt in range(4):
            answer = self._send(method, path, body, headers)
            if answer.status == 423 and attempt == 0:
                self._unlock()
            elif answer.status == 401 and attempt == 0:
                self.sign_in()
            elif answer.status == 503 and attempt < 3:
                time.sleep(1 + attempt)
            else:
                break
        self._check(answer, path)
        return answer

    def _send(self, method: str, path: str, body: bytes | None, headers: dict) -> Answer:
        self.calls += 1
        sent = {"Accept": "application/json", "Content-Type": "application/json", **headers}
        if method != "GET" and self.token:
            sent["X-CSRFToken"] = self.token
        request = urllib.request.Request(self.base + path, data=body, headers=sent, method=method)  # noqa: S310 - our own address
        try:
            with self.opener.open(request, timeout=SECONDS) as answer:
                return Answer(answer.status, answer.headers, answer.read(), answer.url)
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, error.headers, error.read(), error.url)

    def _check(self, answer: Answer, where: str) -> None:
        if answer.status < 400:
            return
        kind = answer.headers.get("Content-Type", "")
        if "json" in kind:
            told = answer.json()
            raise Refused(answer.status, told.get("code", ""), told.get("detail", ""), where, told)
        raise Refused(answer.status, code_on(answer.text), words_on(answer.text), where)


def one_time_code(secret: str, step: int) -> str:
    """The code of a 30-second step (RFC 6238), as an authenticator app computes it."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    mac = hmac.new(key, struct.pack(">Q", step), hashlib.sha1).digest()
    offset = mac[-1] & 0xF
    return str((struct.unpack(">I", mac[offset : offset + 4])[0] & 0x7FFFFFFF) % 10**6).zfill(6)


def code_on(page: str) -> str:
    """The code that a page shows with its refusal, '' where it shows none."""
    found = re.search(r'data-code="([a-z0-9_]+)"', page)
    return found[1] if found else ""


def words_on(page: str) -> str:
    """The words of a refused page: its alerts, else its text, shortened."""
    alerts = re.findall(r'role="alert"[^>]*>(.*?)</', page, re.DOTALL)
    text = " ".join(alerts) or re.sub(r"(?s)<(script|style|head).*?</\1>", " ", page)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())[:400]
