"""Whatever is sent, the API answers as its own document says: schemathesis, against a real Watchword."""

import json
import os
from types import SimpleNamespace

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import CHECKS

from watchword.api.application import make_api
from watchword.app.occupancy import Occupancy
from watchword.app.settings import Settings

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "10"))
"""Examples per operation; raise it to look longer. Left out is one check: that whatever fits the document is taken; a cursor is opaque."""
APP = make_api(SimpleNamespace(settings=Settings(api_rate=10**9)))
schema = schemathesis.openapi.from_asgi("/api/openapi.json", APP)
FUZZ = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def headers(house, admin):
    """The headers of someone who may do everything, with the application turned to the real Watchword."""
    APP.state.watchword = house
    APP.state.occupancy = Occupancy(house)
    return admin


@schemathesis.serializer("application/x-ndjson")
def lines(ctx, value):
    return value if isinstance(value, bytes) else json.dumps(value).encode()


@schema.parametrize()
@FUZZ
def test_every_operation_holds_to_the_document(case, headers):
    case.call_and_validate(headers=headers, excluded_checks=[CHECKS.get_one("positive_data_acceptance")])
