"""The settings of paging: shared channels, gateways, bounds; faults name their line and hold no secret."""

from datetime import timedelta

import pytest

from watchword.app.settings import read_settings
from watchword.kit.errors import ContentError

GOOD = """
[paging]
mail = "mailto://127.0.0.1?from=a@example.org"
time = "5s"

[[paging.channels]]
name = "control room"
kind = "webhook"
team = "physical"
url = "json://me:s3cret@127.0.0.1/page"

[[paging.channels]]
name = "everyone"
kind = "chat"
url = "ntfy://127.0.0.1/topic"
"""


def test_channels_are_read_and_never_shown_whole(tmp_path):
    file = tmp_path / "watchword.toml"
    file.write_text(GOOD)
    settings = read_settings(file, {})
    assert [(each.name, each.kind, each.team) for each in settings.paging_channels] == [
        ("control room", "webhook", "physical"),
        ("everyone", "chat", ""),
    ]
    assert settings.paging_time == timedelta(seconds=5)
    assert "s3cret" not in repr(settings)


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (('kind = "chat"', 'kind = "pigeon"'), 12),
        (('team = "physical"', 'team = "police"'), 6),
        (('name = "everyone"', 'name = "control room"'), 12),
        (('name = "everyone"', 'name = ""'), 12),
        (('url = "ntfy://127.0.0.1/topic"', ""), 12),
    ],
)
def test_faults_name_their_table(tmp_path, change, line):
    file = tmp_path / "watchword.toml"
    file.write_text(GOOD.replace(*change))
    with pytest.raises(ContentError) as caught:
        read_settings(file, {})
    assert [fault.line for fault in caught.value.faults] == [line]
    assert "s3cret" not in str(caught.value)


def test_a_bound_that_is_none_and_a_file_that_is_missing(tmp_path):
    file = tmp_path / "watchword.toml"
    file.write_text('[paging]\ntime = "10m"\npolicies = "none.yaml"\n')
    with pytest.raises(ContentError) as caught:
        read_settings(file, {})
    assert "paging.time" in str(caught.value)
    assert "paging.policies" in str(caught.value)
