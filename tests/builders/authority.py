"""A real time-stamp authority for tests: `openssl ts -reply` behind a server on the loopback address, its certificates made by openssl."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

CONFIG = """
[req]
distinguished_name = name
[name]
[ca]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign
[tsa_certificate]
basicConstraints = CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,timeStamping
[tsa]
default_tsa = here
[here]
serial = {folder}/serial
signer_cert = {folder}/tsa.pem
signer_key = {folder}/tsa.key
certs = {folder}/ca.pem
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
accuracy = secs:1
ess_cert_id_alg = sha256
"""


class Authority:
    """Answers time-stamp requests. `change_query` and `change_answer` let a test make it lie."""

    def __init__(self, folder: Path, name: str = "Authority", *, key: tuple[str, ...] = ("rsa:2048",)) -> None:
        folder.mkdir()
        self.folder = folder
        self.change_query: Callable[[bytes], bytes] = bytes
        self.change_answer: Callable[[bytes], bytes] = bytes
        self.asked = 0
        (folder / "openssl.cnf").write_text(CONFIG.format(folder=folder))
        (folder / "serial").write_text("01\n")
        self._openssl("req", "-new", "-x509", "-newkey", *key, "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj", f"/CN={name} Root",
                      "-config", "openssl.cnf", "-extensions", "ca")  # fmt: skip
        self._openssl("req", "-new", "-newkey", *key, "-nodes", "-keyout", "tsa.key", "-out", "tsa.csr", "-subj", f"/CN={name}", "-config", "openssl.cnf")
        self._openssl("x509", "-req", "-in", "tsa.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-out", "tsa.pem", "-days", "2", "-extfile",
                      "openssl.cnf", "-extensions", "tsa_certificate")  # fmt: skip
        self.certificates = folder / "ca.pem"
        authority = self

        class Talk(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                authority.asked += 1
                content = authority.answer(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(200)
                self.send_header("Content-Type", "application/timestamp-reply")
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *words) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Talk)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def _openssl(self, *words: str) -> None:
        subprocess.run(["openssl", *words], cwd=self.folder, check=True, capture_output=True, timeout=60)

    def answer(self, query: bytes) -> bytes:
        (self.folder / "query.tsq").write_bytes(self.change_query(query))
        self._openssl("ts", "-reply", "-config", "openssl.cnf", "-queryfile", "query.tsq", "-out", "answer.tsr")
        return self.change_answer((self.folder / "answer.tsr").read_bytes())

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()
