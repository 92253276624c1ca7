"""A mail server for each test that asks for one."""

import pytest


@pytest.fixture
def mail(settings):
    """A real mail sink to which the product sends."""
    from tests.builders.background import MailSink  # this file is read before Django is set up

    sink = MailSink()
    settings.EMAIL_BACKEND, settings.EMAIL_HOST, settings.EMAIL_PORT = "django.core.mail.backends.smtp.EmailBackend", "127.0.0.1", sink.port
    settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
    yield sink
    sink.stop()
