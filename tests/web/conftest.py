"""A small real house, opened once, and clients that are logged in."""

import importlib.util
import sys
from pathlib import Path

import pytest
from starlette.testclient import TestClient


def _house():
    if "watchword_test_house" not in sys.modules:
        spec = importlib.util.spec_from_file_location("watchword_test_house", Path(__file__).parent / "house.py")
        module = importlib.util.module_from_spec(spec)
        sys.modules["watchword_test_house"] = module
        spec.loader.exec_module(module)
    return sys.modules["watchword_test_house"]


@pytest.fixture(scope="session")
def house():
    return _house()


@pytest.fixture(scope="session")
def watchword(house, tmp_path_factory):
    with house.open_house(tmp_path_factory.mktemp("house")) as opened:
        yield opened


@pytest.fixture(scope="session")
def app(watchword):
    from watchword.web.application import create_app

    return create_app(watchword)


@pytest.fixture
def client_of(app, house):
    """Return a function that gives a client, logged in as the named account, or nobody."""
    clients = []

    def make(name=""):
        client = TestClient(app, base_url="https://testserver", headers={"Sec-Fetch-Site": "same-origin"}, follow_redirects=False)
        clients.append(client)
        if name:
            answer = client.post("/log-in", data={"name": name, "password": house.PASSWORD})
            assert answer.status_code == 303, answer.text
        return client

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def ada(client_of):
    return client_of("ada")


@pytest.fixture
def root(client_of):
    return client_of("root")
