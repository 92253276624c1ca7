"""The audit of locked packages, against a server of the test that answers as OSV and the package index are documented to answer."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

LOCK = "alpha==1.2.3 \\\n    --hash=sha256:00\nbeta-two[extra]==4.0 ; python_version < '4' \\\n    --hash=sha256:00\n"


class Services(BaseHTTPRequestHandler):
    vulnerable: dict[str, list[str]] = {}
    yanked: dict[str, str | bool] = {}
    asked: list[dict] = []

    def do_POST(self):
        question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.asked.append(question)
        names = [each["package"]["name"] for each in question["queries"]]
        self._say({"results": [{"vulns": [{"id": one} for one in self.vulnerable[name]]} if name in self.vulnerable else {} for name in names]})

    def do_GET(self):
        name = self.path.strip("/").rpartition("/")[2]
        version = {"alpha": "1.2.3", "beta-two": "4.0"}[name]
        files = [{"filename": f"{name.replace('-', '_')}-{said}.tar.gz", "yanked": False} for said in ("0.1", f"{version}0", f"{version}.1")]
        self._say({"files": [*files, {"filename": f"{name.replace('-', '_')}-{version}.tar.gz", "yanked": self.yanked.get(name, False)}]})

    def _say(self, answer):
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words):
        pass


@pytest.fixture
def audit(tmp_path):
    """Runs the command against the test's own services; gives the handler's class and a way to call."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Mine", (Services,), {"vulnerable": {}, "yanked": {}, "asked": []}))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    (tmp_path / "lock.txt").write_text(LOCK)
    address = f"http://127.0.0.1:{server.server_port}"

    def call(*more, accepted="[]", advisories=f"{address}/v1/querybatch"):
        (tmp_path / "accepted.yaml").write_text(accepted)
        out = StringIO()
        words = ["--lock", str(tmp_path / "lock.txt"), "--accepted", str(tmp_path / "accepted.yaml"), "--advisories", advisories, "--index", f"{address}/simple"]
        call_command("audit_dependencies", *words, *more, stdout=out)
        return out.getvalue()

    yield server.RequestHandlerClass, call
    server.shutdown()
    server.server_close()


def test_each_locked_version_is_asked_for_once(audit):
    services, call = audit
    assert "2 locked packages: no advisory, none taken back." in call("--strict")
    packages = [(each["package"]["name"], each["version"]) for each in services.asked[0]["queries"]]
    assert packages == [("alpha", "1.2.3"), ("beta-two", "4.0")]


def test_a_known_vulnerability_fails_and_is_named(audit):
    services, call = audit
    services.vulnerable["beta-two"] = ["PYSEC-0000-1"]
    with pytest.raises(CommandError, match=r"beta-two 4\.0 is known to be vulnerable: PYSEC-0000-1"):
        call()


def test_a_version_that_was_taken_back_fails_with_its_reason(audit):
    services, call = audit
    services.yanked["alpha"] = "breaks data"
    with pytest.raises(CommandError, match=r"alpha 1\.2\.3 was withdrawn from the index: taken back: breaks data"):
        call()


def test_a_silent_service_is_named_and_fails_when_asked_strictly(audit):
    _, call = audit
    nobody = "http://127.0.0.1:9/v1/querybatch"
    said = call(advisories=nobody)
    assert "NOT AUDITED: advisories (http://127.0.0.1:9" in said
    assert "no advisory" not in said
    with pytest.raises(CommandError, match="did not answer"):
        call("--strict", advisories=nobody)


def test_an_advisory_is_answered_for_with_a_reason_and_until_a_day(audit):
    services, call = audit
    services.vulnerable["alpha"] = ["PYSEC-0000-2"]
    entry = "- {{package: alpha, advisory: PYSEC-0000-2, reason: {reason}, until: {until}}}"
    assert "answered for" in call(accepted=entry.format(reason="the function is not called", until="2999-01-01"))
    with pytest.raises(CommandError, match="is known to be vulnerable"):
        call(accepted=entry.format(reason="the function is not called", until="2020-01-01"))
    with pytest.raises(CommandError, match="has no reason"):
        call(accepted=entry.format(reason="''", until="2999-01-01"))
    with pytest.raises(CommandError, match="each entry has"):
        call(accepted="- {package: alpha}")
