import datetime as dt

import pytest
from django.db import connection

from batches.subjects import queries, rules, services, vault
from batches.subjects.identity import Identity, read_identity_fields
from batches.subjects.models import BlindIndex, Patient, PatientIdentity
from batches.subjects.retention import TRACEABILITY
from mes.errors import UnreadableInput
from mes.records.context import site_context
from mes.records.models import SecurityEvent
from tests.builders.registers import fresh, identity


@pytest.mark.req("COI-08", case="positive")
def test_the_same_patient_is_found_again_whatever_the_spelling(world):
    first = world.patient()
    again = world.patient(family="CANARYBIRD ", given="tweety", number="hn 778899")
    assert again.pk == first.pk
    with site_context(world.site.pk):
        assert Patient.objects.count() == 1 and PatientIdentity.objects.count() == 1


@pytest.mark.req("COI-01", case="negative")
def test_a_hospital_number_of_somebody_else_is_refused_without_naming_anybody(world, refused):
    world.patient()
    with refused("hospital_number_of_another") as answer:
        world.patient(family="Andersson")
    assert "anarybird" not in answer.value.sentence and "778899" not in answer.value.sentence


def test_a_namesake_is_asked_about_and_then_another_patient(world, refused):
    first = world.patient()
    with refused("namesake"):
        world.patient(number="HN-2")
    second = services.enter_patient(by=world.by("sam"), identity=identity(number="HN-2"), namesake=True)
    assert second.pk != first.pk and second.pseudonym != first.pseudonym


@pytest.mark.req("COI-08", case="positive")
def test_reading_an_identity_is_recorded_with_its_purpose(world):
    patient = world.patient()
    _, who = services.read_identity(by=world.by("nora"), patient_id=patient.pk, purpose="bedside")
    assert who == identity()
    with site_context(world.site.pk):
        event = SecurityEvent.objects.get(kind="identity_read")
    assert event.sentence == f"Nora.Utr read the identity of {patient.pseudonym} to compare it at the bedside.".replace("Nora.Utr", "Nora Utr")
    assert event.subject == str(patient.pk)


@pytest.mark.req("COI-08", case="negative")
@pytest.mark.parametrize(("who", "purpose", "code"), [("olga", "bedside", "not_your_role"), ("nora", "curiosity", "purpose_unknown")])
def test_an_identity_is_not_read_without_right_or_purpose(world, refused, who, purpose, code):
    patient = world.patient()
    with refused(code):
        services.read_identity(by=world.by(who), patient_id=patient.pk, purpose=purpose)


def test_an_identity_never_prints_itself():
    who = identity()
    assert "Canarybird" not in f"{who} {who!r} {[who]}" and "778899" not in repr({"who": who})


@pytest.mark.req("COI-02", case="negative")
def test_a_refused_identity_is_not_repeated():
    with pytest.raises(UnreadableInput) as caught:
        read_identity_fields(family_name="Canarybird", given_name="Tweety", born="Canarybird", hospital_number="HN-1")
    assert caught.value.code == "born_not_a_date" and "Canarybird" not in caught.value.sentence
    with pytest.raises(UnreadableInput) as caught:
        read_identity_fields(family_name="Canarybird", given_name=" ", born="1961-04-23", hospital_number="HN-1")
    assert caught.value.code == "identity_incomplete"


def test_a_correction_is_a_new_ciphertext_and_finds_the_patient_by_the_new_number(world):
    patient = world.patient()
    services.correct_identity(by=world.by("sam"), patient_id=patient.pk, seen=1, identity=identity(number="HN-9"), reason="Two digits were swapped.")
    assert world.patient(number="HN-9").pk == patient.pk
    _, who = services.read_identity(by=world.by("sam"), patient_id=patient.pk, purpose="correction")
    assert who.hospital_number == "HN-9"
    with site_context(world.site.pk):
        assert PatientIdentity.objects.count() == 2 and BlindIndex.objects.count() == 2


@pytest.mark.req("COI-02", case="negative")
def test_the_reason_of_a_correction_may_not_name_the_patient(world, refused):
    patient = world.patient()
    with refused("reason_names_patient"):
        services.correct_identity(by=world.by("sam"), patient_id=patient.pk, seen=1, identity=identity(), reason="It is Canary-bird, not Canaribird.")


@pytest.mark.req("COI-08", case="negative")
def test_a_changed_or_exchanged_ciphertext_is_not_read(world, refused):
    first, second = world.patient(), world.patient(family="Andersson", number="HN-2")
    sealed = vault.seal(first.pk, b"plain", "identity")
    with refused("identity_unreadable"):
        vault.unseal(first.pk, sealed[:-1] + bytes([sealed[-1] ^ 1]), "identity")
    with refused("identity_unreadable"):
        vault.unseal(first.pk, sealed, "label:1")
    with refused("identity_unreadable"):
        vault.unseal(second.pk, sealed, "identity")


def test_keys_lie_outside_the_database_readable_by_their_owner_alone(world, settings):
    patient = world.patient()
    file = settings.KEYS_FOLDER / "patients" / f"{patient.pk}.key"
    assert file.stat().st_mode & 0o777 == 0o600 and len(file.read_bytes()) == 32


def erase(world, patient, first="quinn", second="ruth"):
    def what():
        return queries.erasure_subject(fresh(patient), "Asked for by the patient.")

    proofs = {"first": world.sign(first, what, "erased_identity"), "second": world.sign(second, what, "erased_identity")}
    return services.destroy_patient_key(by=world.by(first), patient_id=patient.pk, seen=patient.version, reason="Asked for by the patient.", **proofs)


@pytest.mark.req("COI-08", case="positive")
def test_two_people_erase_one_identity_and_no_other(world, refused, django_capture_on_commit_callbacks):
    gone, stays = world.patient(), world.patient(family="Andersson", number="HN-2")
    with django_capture_on_commit_callbacks(execute=True):
        erase(world, gone)
    assert not vault.has_key(gone.pk) and vault.has_key(stays.pk)
    with refused("identity_erased"):
        services.read_identity(by=world.by("sam"), patient_id=gone.pk, purpose="order")
    assert services.read_identity(by=world.by("sam"), patient_id=stays.pk, purpose="order")[1].family_name == "Andersson"
    assert world.patient().pk != gone.pk  # nothing leads to the erased one any more


@pytest.mark.req("COI-08", case="negative")
def test_one_person_alone_does_not_erase(world, refused):
    patient = world.patient()
    with refused("same_person"):
        erase(world, patient, "quinn", "quinn")
    assert vault.has_key(patient.pk)


@pytest.mark.req("COI-08", case="negative")
def test_a_key_that_survived_a_crash_is_found_and_burnt(world, refused):
    from quality import watch

    gone, stays = world.patient(), world.patient(family="Andersson", number="HN-2")
    erase(world, gone)  # rolled back by the test in the end, so nothing burnt: as after a crash between the deed and the burning
    assert vault.has_key(gone.pk)
    with refused("identity_erased"):
        services.read_identity(by=world.by("sam"), patient_id=gone.pk, purpose="order")
    assert watch.unburnt_keys(world.by("quinn")) == 1
    assert not vault.has_key(gone.pk) and vault.has_key(stays.pk)
    assert watch.unburnt_keys(world.by("quinn")) == 0


def test_no_identity_is_erased_while_a_lot_is_open(world, refused):
    patient = world.patient()
    world.order(patient)
    with refused("lot_open"):
        erase(world, patient)


@pytest.mark.req("COI-08", case="negative")
@pytest.mark.parametrize(
    ("market", "used", "until"),
    [
        ("EU", "2026-11-12", "2056-11-12"),
        ("EU", "2024-02-29", "2054-03-01"),
        ("US", "2026-11-12", "2036-11-12"),
        ("JP", "2026-11-12", None),
    ],
)
def test_the_way_to_a_treated_patient_is_kept_for_the_years_of_the_market(world, refused, market, used, until):
    patient = world.patient()
    used_at = dt.datetime.fromisoformat(f"{used}T10:00+00:00")
    lot = queries.Traced("L-1", market, used_at, "Europe/Amsterdam", TRACEABILITY.get(market))
    end = dt.datetime.fromisoformat(f"{until}T10:00+00:00") if until else None
    assert lot.until == end
    for at in (used_at, end - dt.timedelta(days=1) if end else used_at + dt.timedelta(days=36500)):
        with refused("traceability_kept"):
            rules.check_erasable(patient, False, [lot], at)
    if end:
        rules.check_erasable(patient, False, [lot], end)


def test_the_vault_holds_ciphertext_only(world):
    world.patient()
    with site_context(world.site.pk), connection.cursor() as cursor:
        cursor.execute("SELECT ciphertext FROM batches_patientidentity")
        (sealed,) = cursor.fetchone()
    assert b"anarybird" not in bytes(sealed) and isinstance(identity(), Identity)
