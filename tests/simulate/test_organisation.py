from datetime import date

from watchword.model import AssetKind
from watchword.resolve.people_file import read_people
from watchword.resolve.site_file import read_site
from watchword.simulate import organisation
from watchword.simulate.probing import batteries

KEY = b"simulation-test-key-of-32-bytes."


def test_the_site_is_as_large_as_promised(org):
    kinds = [host.kind for host in org.hosts]
    doors = [door for site in org.sites for door in site.doors]
    assert 190 <= len(org.members) <= 230
    assert 55 <= len(doors) <= 65
    assert kinds.count("camera") == 30
    assert len(kinds) - kinds.count("camera") >= 225
    assert sum("out" not in door.readers for door in doors) >= 20
    assert {"employee", "contractor", "cleaner", "guard", "visitor"} == {member.kind for member in org.members}
    assert sum(member.until is not None for member in org.members) == 6


def test_nothing_is_named_twice(org):
    for names in (
        [member.number for member in org.members],
        [member.name for member in org.members],
        [member.badge for member in org.members],
        [member.account for member in org.members if member.account],
        [host.name for host in org.hosts],
        [host.ip for host in org.hosts],
        [host.mac for host in org.hosts],
        [door.name for site in org.sites for door in site.doors],
    ):
        assert len(names) == len(set(names))


def test_the_site_file_is_read_without_fault(org):
    site, assets = read_site(org.site_yaml(), "site.yaml")
    assert len(site.doors) == sum(len(plan.doors) for plan in org.sites)
    assert set(assets.assets) == {host.uid for host in org.hosts} | {f"asset:{name}" for name, _, _ in batteries()}
    cameras = [asset for asset in assets.assets.values() if asset.kind is AssetKind.CAMERA]
    assert all(door in site.doors for camera in cameras for door in camera.sees)
    assert all(asset.place in site.places for asset in assets.assets.values())
    assert {member.shift for member in org.members} - {""} <= {key.rpartition("/")[2] for key in site.calendars}


def test_the_people_file_is_read_without_doubt(org):
    found = read_people(org.people_csv(), "people.csv", KEY)
    assert found.notes == ()
    assert set(found.book.people) == {member.uid for member in org.members}
    returner = next(member for member in org.members if member.before)
    assert found.book.people[returner.uid].gaps


def test_a_seed_makes_one_organisation():
    day = date(2027, 3, 1)
    assert organisation(3, day).site_yaml() == organisation(3, day).site_yaml()
    assert organisation(3, day).people_csv() == organisation(3, day).people_csv()
    assert organisation(3, day).people_csv() != organisation(4, day).people_csv()


def test_every_desk_can_be_reached(org):
    for member in org.members:
        assert org.doorways.way(f"{member.site}/outside", member.home), member.home
        assert org.doorways.way(member.home, f"{member.site}/outside"), member.home
