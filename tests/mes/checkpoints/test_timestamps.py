"""Time-stamps of checkpoints by a real authority (openssl, started here): taken when every word holds, refused when one does not."""

import datetime as dt
import hashlib

import pytest
from cryptography import x509

from mes import env
from mes.checkpoints import anchors, services, timestamps
from mes.checkpoints.models import AnchorReceipt, Checkpoint
from mes.errors import RuleBroken
from mes.people.setup import system_actor
from mes.records.context import site_context
from tests.builders.authority import Authority


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    made = Authority(tmp_path_factory.mktemp("tsa") / "one")
    yield made
    made.stop()


@pytest.fixture(scope="module")
def elliptic(tmp_path_factory):
    made = Authority(tmp_path_factory.mktemp("tsa") / "two", "Elliptic", key=("ec", "-pkeyopt", "ec_paramgen_curve:P-256"))
    yield made
    made.stop()


@pytest.fixture
def honest(authority):
    authority.change_query = authority.change_answer = bytes
    authority.asked = 0
    return authority


@pytest.fixture
def waiting(place, settings, tmp_path, honest):
    """A site with one checkpoint that waits for its time-stamp; its jobs."""
    settings.KEYS_FOLDER = tmp_path / "keys"
    settings.TSA_URL, settings.TSA_CERTIFICATES = honest.url, str(honest.certificates)
    jobs = system_actor(place.site.pk)
    services.take_checkpoint(by=jobs)
    return jobs


def receipts(jobs) -> list[AnchorReceipt]:
    with site_context(jobs.site_id):
        return list(AnchorReceipt.objects.filter(kind=anchors.TIMESTAMP).select_related("checkpoint"))


def refused(jobs) -> str:
    """The sentence with which the answer is refused; the checkpoint waits as before."""
    with pytest.raises(timestamps.TimestampRefused) as caught:
        anchors.timestamp_newest(jobs)
    assert receipts(jobs) == []
    return str(caught.value)


@pytest.mark.req("AUD-08", case="positive")
def test_a_checkpoint_is_time_stamped_once_and_the_token_kept(waiting, honest):
    assert anchors.timestamp_newest(waiting) == 1
    assert anchors.timestamp_newest(waiting) == 0 and honest.asked == 1

    (receipt,) = receipts(waiting)
    token, note = bytes(receipt.content), receipt.checkpoint.note.encode()
    assert receipt.sha256 == hashlib.sha256(token).hexdigest() and receipt.place.startswith(honest.url)
    trusted = x509.load_pem_x509_certificates(honest.certificates.read_bytes())
    assert timestamps.check_token(token, hashlib.sha256(note).digest(), None, trusted).content == token
    assert anchors.kinds() == (anchors.FOLDER, anchors.TIMESTAMP)


@pytest.mark.req("AUD-08", case="negative")
@pytest.mark.parametrize(("taken", "now"), [(61, 90), (-90, -61)])
def test_a_token_from_before_its_checkpoint_or_after_now_is_refused(taken, now):
    at = dt.datetime(2026, 11, 27, 12, tzinfo=dt.UTC)
    token, seconds = timestamps.Token(b"", at), dt.timedelta(seconds=1)
    assert timestamps.check_time(token, at + 59 * seconds, at - 59 * seconds) is token
    with pytest.raises(timestamps.TimestampRefused, match="Compare the clocks"):
        timestamps.check_time(token, at + taken * seconds, at + now * seconds)


@pytest.mark.req("AUD-08", case="positive")
def test_an_authority_with_a_key_on_a_curve_is_believed_too(waiting, settings, elliptic):
    settings.TSA_URL, settings.TSA_CERTIFICATES = elliptic.url, str(elliptic.certificates)

    assert anchors.timestamp_newest(waiting) == 1


@pytest.mark.req("AUD-08", case="negative")
def test_a_token_about_something_else_is_refused(waiting, honest):
    with site_context(waiting.site_id):
        digest = hashlib.sha256(Checkpoint.objects.get().note.encode()).digest()
    honest.change_query = lambda query: query.replace(digest, hashlib.sha256(b"something else").digest())

    assert "something else than this checkpoint" in refused(waiting)


@pytest.mark.req("AUD-08", case="negative")
def test_an_answer_to_another_request_is_refused(waiting, honest):
    honest.change_query = lambda query: query[:-4] + bytes([query[-4] ^ 1]) + query[-3:]  # the last byte of the nonce; then BOOLEAN

    assert "nonce is not ours" in refused(waiting)


@pytest.mark.req("AUD-08", case="negative")
def test_a_token_of_a_stranger_is_refused(waiting, settings, elliptic):
    settings.TSA_CERTIFICATES = str(elliptic.certificates)

    assert "does not lead to one of the settings" in refused(waiting)


@pytest.mark.req("AUD-08", case="negative")
def test_a_refused_request_is_no_anchor(waiting, honest):
    honest.change_query = lambda query: query.replace(b"\x02\x01\x01", b"\x02\x01\x02", 1)  # a version that does not exist

    assert "status 2" in refused(waiting)


@pytest.mark.req("AUD-08", case="negative")
def test_a_token_changed_on_the_way_is_refused(waiting, honest):
    honest.change_answer = lambda answer: answer[:-1] + bytes([answer[-1] ^ 1])
    assert "signature does not hold" in refused(waiting)

    def later(answer: bytes) -> bytes:
        at = answer.index(b"\x18\x0f20") + 2
        return answer[:at] + b"21" + answer[at + 2 :]

    honest.change_answer = later
    assert "changed after it was signed" in refused(waiting)


@pytest.mark.req("AUD-08", case="negative")
@pytest.mark.parametrize("answer", [b"", b"\x30\x80", b"<html>no</html>", b"\x30\x03\x02\x01\x00", bytes(70_000)])
def test_what_is_no_answer_is_refused(waiting, honest, answer):
    honest.change_answer = lambda _: answer

    refused(waiting)


@pytest.mark.req("AUD-08", case="negative")
def test_a_byte_changed_anywhere_is_refused_or_was_of_no_weight(honest):
    """Every byte of an answer, one after another: never an error of our own, and never another time or digest than was signed."""
    request = timestamps.request_for(b"a checkpoint")
    answer = honest.answer(request.content)
    trusted = x509.load_pem_x509_certificates(honest.certificates.read_bytes())
    whole = timestamps.check(answer, request, trusted)
    believed = 0
    for place in range(len(answer)):
        try:
            token = timestamps.check(answer[:place] + bytes([answer[place] ^ 0x01]) + answer[place + 1 :], request, trusted)
        except timestamps.TimestampRefused:
            continue
        believed += 1
        assert token.at == whole.at
    assert believed < len(answer) / 2


def test_an_authority_that_is_away_leaves_the_checkpoint_waiting(waiting, settings):
    settings.TSA_URL = "http://127.0.0.1:1/"

    assert "does not answer" in refused(waiting)


@pytest.mark.req("AUD-08", case="negative")
def test_a_certificate_that_is_not_for_time_stamps_is_refused(waiting, honest):
    """The authority's root itself: trusted, and not made for time-stamps."""
    trusted = x509.load_pem_x509_certificates(honest.certificates.read_bytes())

    with pytest.raises(timestamps.TimestampRefused, match="not made for time-stamps"):
        timestamps._check_trusted(trusted[0], [], trusted, trusted[0].not_valid_before_utc)


@pytest.mark.req("AUD-08", case="negative")
def test_a_kept_token_is_kept_with_its_own_digest(waiting):
    with site_context(waiting.site_id):
        checkpoint = Checkpoint.objects.get()

    with pytest.raises(RuleBroken) as caught:
        services.record_anchor(by=waiting, checkpoint_id=checkpoint.pk, kind="timestamp", place="x", sha256="0" * 64, content=b"a token")

    assert caught.value.code == "anchor_of_other_content"


def test_without_an_address_nobody_is_asked(waiting, settings, honest):
    settings.TSA_URL = ""

    assert anchors.timestamp_newest(waiting) == 0 and honest.asked == 0 and anchors.kinds() == (anchors.FOLDER,)


def started(url: str, certificates: str) -> list[str]:
    values = {"CARTULARY_MODE": "test", "CARTULARY_SECRET_KEY": "x" * 60, "CARTULARY_TSA_URL": url, "CARTULARY_TSA_CERTIFICATES": certificates}
    return env.refusals(env.read(values))


@pytest.mark.parametrize(
    ("url", "certificates", "word"),
    [
        ("http://tsa.example/", "ca.pem", "https://"), ("ftp://127.0.0.1/", "ca.pem", "https://"), ("https://tsa.example/", "", "CERTIFICATES"),
        ("https://", "ca.pem", "https://"),
    ],
)  # fmt: skip
def test_an_unsafe_address_stops_the_start(url, certificates, word):
    found = started(url, certificates)

    assert len(found) == 1 and word in found[0]


def test_a_safe_address_starts():
    for url in ("https://tsa.example/path", "http://127.0.0.1:3161/"):
        assert started(url, "ca.pem") == []
