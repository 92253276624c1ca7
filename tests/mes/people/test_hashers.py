"""Secrets of people are stored as Argon2id with the values OWASP names."""

import pytest
from django.contrib.auth.hashers import check_password, make_password
from django.test import override_settings

from mes.people.hashers import Argon2id19

ARGON = override_settings(PASSWORD_HASHERS=["mes.people.hashers.Argon2id19"])


@pytest.mark.req("ACC-04", case="positive")
@ARGON
def test_a_password_is_stored_as_a_salted_hash_that_verifies():
    stored = make_password("correct horse battery")
    assert stored.startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$")
    assert stored != make_password("correct horse battery")
    assert check_password("correct horse battery", stored)


@pytest.mark.req("ACC-04", case="negative")
@ARGON
def test_another_password_does_not_verify():
    assert not check_password("correct horse batterz", make_password("correct horse battery"))


@ARGON
def test_a_hash_with_other_values_verifies_and_is_renewed():
    class Costly(Argon2id19):
        time_cost = 3

    stored = Costly().encode("correct horse battery", Costly().salt())
    renewed = []
    assert check_password("correct horse battery", stored, setter=renewed.append)
    assert renewed == ["correct horse battery"]
