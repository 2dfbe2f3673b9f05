"""Settings: four places, later ones win; every fault is named with its place and remedy, all at once."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from watchword.app.settings import Settings, in_maintenance, own_networks, read_settings, settings_list
from watchword.kit.duration import read_duration, say_duration
from watchword.kit.errors import ContentError, InputError


def write(folder: Path, text: str) -> Path:
    path = folder / "watchword.toml"
    path.write_text(text)
    return path


def test_defaults_need_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert read_settings(environment={}) == Settings()


def test_later_places_win(tmp_path):
    path = write(tmp_path, '[listen]\nport = 1\nhost = "a"\n[work]\nrecords = 5\n')
    settings = read_settings(path, {"WATCHWORD_LISTEN_PORT": "2", "WATCHWORD_LISTEN_HOST": "b"}, {"listen_port": 3, "name": None})
    assert (settings.listen_port, settings.listen_host, settings.work_records) == (3, "b", 5)


def test_lists_of_tables_and_relative_paths(tmp_path):
    path = write(
        tmp_path,
        'data = "d"\n[[syslog]]\nprotocol = "udp"\nport = 5514\nsource = "fw"\n[[drop]]\nfolder = "in"\nsource = "mill"\n'
        '[detect]\negress = ["203.0.113.7"]\n[detect.overrides.ww_001]\nwithin = "5m"\n'
        '[[maintenance]]\nplace = "harbour/doors/d1"\nsince = 2026-01-01T00:00:00Z\nuntil = 2026-01-02T00:00:00Z\nticket = "T-1"\n',
    )
    settings = read_settings(path, {})
    assert settings.data == tmp_path / "d"
    assert settings.syslog[0].host == "0.0.0.0"
    assert settings.drop[0].folder == tmp_path / "in"
    assert settings.detect_overrides == {"ww_001": {"within": "5m"}}
    assert str(own_networks(settings)[0]) == "203.0.113.7/32"
    assert in_maintenance(settings, "harbour/doors/d1", datetime(2026, 1, 1, 5, tzinfo=UTC)).ticket == "T-1"
    assert in_maintenance(settings, "harbour/doors/d10", datetime(2026, 1, 1, 5, tzinfo=UTC)) is None


def test_structured_values_and_files_from_the_environment(tmp_path):
    secret = tmp_path / "url"
    secret.write_text("postgresql://u:p@h/d\n")
    settings = read_settings(
        None,
        {
            "WATCHWORD_SYSLOG": '[{protocol = "tcp", port = 6514, source = "x"}]',
            "WATCHWORD_RECORDS_URL_FILE": str(secret),
            "WATCHWORD_SPOOL_BYTES": "2 GiB",
            "WATCHWORD_DETECT_EGRESS": "198.51.100.0/24, 2001:db8::/32",
        },
    )
    assert settings.syslog[0].port == 6514
    assert settings.records_url == "postgresql://u:p@h/d"
    assert settings.spool_bytes == 2 * 1024**3
    assert settings.detect_egress == ("198.51.100.0/24", "2001:db8::/32")


def test_all_faults_at_once_with_line_and_remedy(tmp_path):
    path = write(
        tmp_path,
        "[listen]\nprot = 1\nport = 99999\n\n[spool]\nbytes = 'lots'\n[[syslog]]\nprotocol = 'udp'\nport = 1\nsource = 'a'\n[[syslog]]\nport = 2\nsource = 'b'\n",
    )
    with pytest.raises(ContentError) as caught:
        read_settings(path, {"WATCHWORD_LISTEN_PROT": "1"})
    text = str(caught.value)
    assert f"{path}:2: there is no setting 'listen.prot' (did you mean listen.port?)" in text
    assert f"{path}:3: listen.port: 99999 is no port" in text
    assert f"{path}:6: spool.bytes: 'lots'" in text
    assert f"{path}:11: syslog: 'protocol' is missing" in text
    assert "WATCHWORD_LISTEN_PROT:0: there is no such setting (did you mean WATCHWORD_LISTEN_PORT?)" in text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x = [", "not valid TOML"),
        ("[tls]\ncertificate = 'c.pem'\n", "belong together"),
        ("[[syslog]]\nprotocol='tls'\nport=1\nsource='a'\n", "without a certificate"),
        ("[events]\nurl='ftp://x'\n", "no HTTP address"),
        ("[records]\nurl='mysql://x'\n", "no PostgreSQL address"),
        ("[[maintenance]]\nplace='a'\nsince=2026-01-01T00:00:00\nuntil=2026-01-02T00:00:00Z\nticket='1'\n", "no time zone"),
        ("[[maintenance]]\nplace='a'\nsince='2026-01-03T00:00:00Z'\nuntil=2026-01-02T00:00:00Z\nticket='1'\n", "ends before it starts"),
        ("[[syslog]]\nprotocol='udp'\nport=7\nsource='a'\n[[syslog]]\nprotocol='udp'\nport=7\nsource='b'\n", "share port 7"),
    ],
)
def test_contradictions(tmp_path, text, words):
    with pytest.raises(ContentError, match=words):
        read_settings(write(tmp_path, text), {})


def test_a_reserve_in_which_the_spool_cannot_be_emptied_is_refused_where_it_was_written(tmp_path):
    path = write(tmp_path, 'name = "x"\n[spool]\nbytes = "1GiB"\nreserve = "63MiB"\n')
    with pytest.raises(ContentError, match=r"watchword.toml:4: spool.reserve: 66,060,288 bytes are too few .*\(write \"64MiB\" or more\)"):
        read_settings(path, {})
    with pytest.raises(ContentError, match=r"^WATCHWORD_SPOOL_RESERVE:0: spool.reserve: 1 bytes"):
        read_settings(path, {"WATCHWORD_SPOOL_RESERVE": "1"})
    assert read_settings(path, {"WATCHWORD_SPOOL_RESERVE": "64MiB"}).spool_reserve == 64 * 1024**2


def test_a_named_file_must_exist(tmp_path):
    with pytest.raises(ContentError, match="no such settings file"):
        read_settings(tmp_path / "none.toml", {})


def test_keys_and_attributes_agree():
    for each in settings_list():
        assert each.attribute == each.key.replace(".", "_")
        assert each.help.endswith(".")


def test_durations():
    assert read_duration("1h30m") == timedelta(minutes=90)
    assert say_duration(timedelta(hours=25, milliseconds=5)) == "1d1h5ms"
    assert say_duration(timedelta()) == "0s"
    for bad in ("", "5", "m", "-1h", "9" * 40 + "w"):
        with pytest.raises(InputError):
            read_duration(bad)
