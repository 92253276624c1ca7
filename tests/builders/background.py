"""Real background processes for tests: a broker of the test's own, worker and beat, and a mail server that keeps what it gets."""

from __future__ import annotations

import secrets
import socket
import socketserver
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import redis
from kombu import pools

from mes import tasks
from mes.celery import app
from mes.embedded import programs
from mes.embedded.processes import Child, Supervisor, beat, worker


def wait_for(what: Callable[[], object], seconds: float = 40, every: float = 0.2):
    """What `what` gives once it is true. AssertionError when it never is."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found = what()
        if found:
            return found
        time.sleep(every)
    raise AssertionError(f"not within {seconds} s: {what}")


# --- mail -------------------------------------------------------------------------------------------------------------


class MailSink:
    """An SMTP server on a real socket that keeps every mail: (recipients, text)."""

    def __init__(self) -> None:
        self.mails: list[tuple[list[str], str]] = []
        sink = self

        class Talk(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                sink.talk(self)

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address, daemon_threads = True, True

        self.server = Server(("127.0.0.1", 0), Talk)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def talk(self, line: socketserver.StreamRequestHandler) -> None:
        """RFC 5321, as much of it as smtplib speaks."""

        def say(text: str) -> None:
            line.wfile.write(f"{text}\r\n".encode())

        say("220 sink.example")
        recipients: list[str] = []
        while word := line.rfile.readline().decode(errors="replace").strip():
            verb = word[:4].upper()
            if verb == "QUIT":
                say("221 bye")
                return
            if verb == "RCPT":
                recipients.append(word.partition("<")[2].partition(">")[0])
            if verb == "DATA":
                say("354 go on")
                text = b"".join(iter(line.rfile.readline, b".\r\n")).decode(errors="replace")
                self.mails.append((recipients, text))
                recipients = []
            say("250 ok")

    def to(self, address: str) -> list[str]:
        """The mails somebody got."""
        return [text for recipients, text in list(self.mails) if address in recipients]

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()


# --- broker -----------------------------------------------------------------------------------------------------------


class Broker:
    """A Redis server of one test's own, which can be stopped and started again at the same address."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.password = folder, secrets.token_hex(8)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"redis://:{self.password}@127.0.0.1:{self.port}/0"
        self.process: subprocess.Popen | None = None

    def start(self) -> None:
        program = programs.find_redis()
        words = [
            str(program), "--bind", "127.0.0.1", "--port", str(self.port), "--requirepass", self.password, "--save", "", "--appendonly", "no", "--dir",
            str(self.folder),
        ]  # fmt: skip
        with open(self.folder / "redis.log", "ab") as log:
            self.process = subprocess.Popen(words, stdout=log, stderr=log)
        wait_for(self.answers, 10)

    def answers(self) -> bool:
        try:
            with redis.Redis.from_url(self.url, socket_connect_timeout=0.5) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(timeout=10)
            self.process = None


class Background:
    """Broker, mail server and the processes that work through them."""

    def __init__(self, folder: Path, monkeypatch) -> None:
        self.mail, self.broker, self.folder = MailSink(), Broker(folder), folder
        self.env = {
            "REDIS_URL": self.broker.url, "CARTULARY_REDIS_PREFIX": app.conf.broker_transport_options["global_keyprefix"],
            "EMAIL_URL": f"smtp://127.0.0.1:{self.mail.port}", "CARTULARY_NO_INSTALL": "1", "CARTULARY_SWEEP_SECONDS": "2",
            "CARTULARY_ANCHORS": str(folder / "anchors"),
        }  # fmt: skip
        self.supervisor = Supervisor([], folder)
        monkeypatch.setattr(tasks, "_broken_until", 0.0)

    def start_worker(self, name: str = "worker") -> Child:
        return self._launch(worker(concurrency=2, name=name))

    def start_beat(self) -> Child:
        return self._launch(beat())

    def _launch(self, child: Child) -> Child:
        child.env = self.env
        self.supervisor.children.append(child)
        self.supervisor.launch(child)
        self.supervisor.wait(child, 60)
        return child

    def send(self, task: str, **arguments: str) -> None:
        """Send a task as the door and beat do."""
        app.send_task(task, kwargs=arguments, queue="urgent")


@contextmanager
def background(folder: Path, monkeypatch) -> Iterator[Background]:
    """Everything running but worker and beat, which a test starts; all of it is ended on leaving."""
    here = Background(folder, monkeypatch)
    here.broker.start()
    with pointing_to(here.broker.url), here.supervisor:
        try:
            yield here
        finally:
            here.supervisor.stop()
            here.broker.stop()
            here.mail.stop()


@contextmanager
def pointing_to(url: str) -> Iterator[None]:
    """This process's own Celery client talks to another broker while inside."""
    before = app.conf.broker_url
    forget_connections()
    app.conf.broker_url = url
    try:
        yield
    finally:
        forget_connections()
        app.conf.broker_url = before


def forget_connections() -> None:
    """This process's Celery client opens new connections from now on, by its present configuration."""
    # kombu hands a pool out again by its address, closed or not: forgetting the app's own reference is not enough
    pools.reset()
    app._pool = None
    app.amqp._producer_pool = None
