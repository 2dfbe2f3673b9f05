"""The screen channel: sent while somebody of the team looks, failed otherwise; other channels stay what they are."""

import pytest

from watchword.connectors.apprise_channel import AppriseChannels
from watchword.connectors.screen_channel import ScreenChannel, WithScreens
from watchword.kit.errors import NotFound
from watchword.respond.ports import Delivery
from watchword.respond.reach_service import DeskChannel


def test_a_page_counts_as_sent_only_while_somebody_of_the_team_is_logged_in():
    present = {"it": ["Ana Lind"], "physical": []}
    assert ScreenChannel("IT desk", "it", lambda team: present[team]).send("t", "b").delivery is Delivery.SENT
    missed = ScreenChannel("Control room", "physical", lambda team: present[team]).send("t", "b")
    assert missed.delivery is Delivery.FAILED
    assert "nobody" in missed.detail


def test_screens_stand_beside_the_other_channels():
    desk = DeskChannel("IT desk", "screen", "it")
    channels = WithScreens(AppriseChannels(), {"IT desk": (desk, ScreenChannel("IT desk", "it", lambda _team: ["x"]))})
    assert list(channels.desks()) == [desk]
    assert channels.desk("IT desk").kind == "screen"
    with pytest.raises(NotFound):
        channels.desk("nowhere")
