"""A site that lives: an organisation with two sites, its normal days and attack stories with known truth, told in the sources' own formats.

`organisation` makes the people, places and assets; `simulate` and `live` play days as `Delivery` after `Delivery`, and each `Simulation`
knows the `Story` list that a detection has to find.
"""

from watchword.simulate.delivery import Delivery, NearMiss, Story
from watchword.simulate.life import GUEST_NETS
from watchword.simulate.organisation import Organisation, organisation
from watchword.simulate.stories import STORIES
from watchword.simulate.world import Simulation, live, simulate

__all__ = ["GUEST_NETS", "STORIES", "Delivery", "NearMiss", "Organisation", "Simulation", "Story", "live", "organisation", "simulate"]
