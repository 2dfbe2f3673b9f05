"""A real Watchword with a morning of the demo site in it, and the API around it."""

from datetime import UTC, date, datetime, timedelta
from itertools import takewhile

import pytest
from starlette.testclient import TestClient

from watchword.api.application import make_api
from watchword.app.accounts import Role
from watchword.app.demo import Player, furnish
from watchword.app.pipeline import Pipeline
from watchword.app.principal import Permission
from watchword.app.settings import Settings
from watchword.app.watchword import open_watchword
from watchword.kit.clock import ManualClock
from watchword.simulate import organisation, simulate

DAY = date(2026, 6, 1)
UNTIL = datetime(2026, 6, 1, 7, 30, tzinfo=UTC)
PASSWORD = "correct horse battery staple"
RATE = 1_000_000
PEOPLE = {
    "ann": Role.ADMINISTRATOR,
    "ivo": Role.IT_ANALYST,
    "otto": Role.CONTROL_ROOM_OPERATOR,
    "mia": Role.MANAGER,
    "aud": Role.AUDITOR,
}
V1 = "/api/v1"


@pytest.fixture(scope="session")
def house(tmp_path_factory):
    """A Watchword whose clock stands at half past seven (UTC) of the demo site's first Monday."""
    settings = Settings(data=tmp_path_factory.mktemp("api") / "data", api_rate=RATE, respond_simulated=True)
    clock = ManualClock(datetime(2026, 5, 31, 21, tzinfo=UTC))
    with open_watchword(settings, clock) as watchword:
        org = organisation(1)
        furnish(watchword, org)
        pipeline = Pipeline(watchword)
        pipeline.start()
        morning = takewhile(lambda each: each.at < UNTIL, simulate(org, DAY, 1, 1))
        few = (each for number, each in enumerate(morning) if each.source != "firewall" or number % 20 == 0)
        player = Player(watchword, pipeline, clock)
        player.play(few)
        clock.at = UNTIL + timedelta(minutes=1)
        watchword.intake.accept("harbour-doors", _broken())
        pipeline.run_until_empty()
        for name, role in PEOPLE.items():
            watchword.accounts.create(name, role, PASSWORD, actor="test")
        watchword.response.library.install_shipped()
        yield watchword


def _broken():
    from watchword.ingest.intake import Incoming

    return [Incoming(b"this is no JSON %d" % number) for number in range(5)]


@pytest.fixture(scope="session")
def app(house):
    return make_api(house)


@pytest.fixture(scope="session")
def client(app):
    with TestClient(app, base_url="http://watchword.test", raise_server_exceptions=False) as client:
        yield client


@pytest.fixture(scope="session")
def token(house):
    """Make the headers of a token with these scopes of this account."""

    def make(*scopes, account="ann"):
        _, secret = house.accounts.tokens.create(account, "test", [Permission(scope) for scope in scopes], actor="test")
        return {"Authorization": f"Bearer {secret}"}

    return make


@pytest.fixture(scope="session")
def admin(token):
    return token(*Permission)


@pytest.fixture(scope="session")
def clients(app):
    """Return a client at another address: wrong passwords are counted by address."""

    def make(address):
        return TestClient(app, base_url="http://watchword.test", raise_server_exceptions=False, client=(address, 50000))

    return make


@pytest.fixture(scope="session")
def session(house):
    """Make the headers of somebody who has just logged in to the pages."""

    def make(name):
        opened = house.accounts.log_in(name, PASSWORD, address="10.9.9.9")
        return {"Cookie": f"__Host-watchword={opened.token}", "Sec-Fetch-Site": "same-origin"}

    return make


@pytest.fixture
def problem():
    """Check that an answer is a problem of this status and type, and return it."""

    def check(answer, status, name):
        assert answer.status_code == status, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        body = answer.json()
        assert body["type"] == f"urn:watchword:problem:{name}", body
        return body

    return check


@pytest.fixture
def opened(client, token):
    """Open an incident and return its uid."""

    def make(title="Odd badge at the server room", severity=3, **more):
        body = {"title": title, "because": "seen on the camera", "severity": severity, **more}
        answer = client.post(f"{V1}/incidents", json=body, headers=token("respond", "read"))
        assert answer.status_code == 201, answer.text
        return answer.json()["incident"]["uid"]

    return make
