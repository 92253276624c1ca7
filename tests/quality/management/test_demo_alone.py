"""Two demos never work in one folder."""

import os

import pytest
from django.core.management.base import CommandError

from quality.management.commands.demo import Command


@pytest.mark.req("DI-02", case="negative")
def test_a_second_demo_in_the_same_folder_is_refused_while_the_first_one_lives(settings, tmp_path):
    settings.VAR_FOLDER = tmp_path
    first = Command().alone()
    with pytest.raises(CommandError, match="already runs") as refused:
        Command().alone()
    assert f"process {os.getpid()}" in str(refused.value)
    first.close()
    Command().alone().close()
