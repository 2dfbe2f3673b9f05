"""The build of the browser bundle: stale by content, one sentence on failure, locks that name no host."""

import importlib.util
import json
import os
import stat
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def hook():
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def house(tmp_path):
    """A repository with browser sources and fake node and npm that work as the real ones are called."""
    ui = tmp_path / "ui"
    (ui / "src").mkdir(parents=True)
    (ui / "package-lock.json").write_text("{}")
    (ui / "build.mjs").write_text("// build")
    (ui / "src" / "app.js").write_text("1")
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    write(bin_folder / "npm", 'test "$1 $2" = "ci --ignore-scripts" && echo npm >> calls')
    write(
        bin_folder / "node",
        'if [ "$1" = --version ]; then echo v20.1.0; else echo node >> calls; mkdir -p ../src/watchword/web/static/dist; fi',
    )
    return tmp_path


def write(path, text):
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def on_path(monkeypatch, folder):
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}/usr/bin{os.pathsep}/bin")


def test_a_missing_bundle_is_built_once_and_again_when_a_source_changes(hook, house, monkeypatch):
    on_path(monkeypatch, house / "bin")
    assert hook.stale(house)
    hook.build(house)
    assert not hook.stale(house)
    assert (house / "ui" / "calls").read_text().split() == ["npm", "node"]
    (house / "ui" / "src" / "app.js").touch()
    assert not hook.stale(house)
    (house / "ui" / "src" / "app.js").write_text("2")
    assert hook.stale(house)
    hook.build(house)
    (house / "ui" / "src" / "new.js").write_text("")
    assert hook.stale(house)


def test_without_sources_what_is_there_is_used(hook, tmp_path):
    assert not hook.stale(tmp_path)


def test_a_failing_step_says_what_failed_and_both_remedies(hook, house, monkeypatch):
    on_path(monkeypatch, house / "bin")
    write(house / "bin" / "npm", "echo no reach >&2; exit 1")
    with pytest.raises(RuntimeError, match=r"(?s)ci --ignore-scripts.*failed.*Node\.js 20.*WATCHWORD_SKIP_UI=1.*no reach"):
        hook.build(house)
    assert hook.stale(house)


def test_an_old_node_counts_as_none(hook, house, monkeypatch):
    on_path(monkeypatch, house / "bin")
    assert hook.node_on_path() is not None
    write(house / "bin" / "node", "echo v18.0.0")
    assert hook.node_on_path() is None


def test_no_node_at_all_is_one_sentence(hook, house, monkeypatch):
    monkeypatch.setattr(hook, "node_on_path", lambda: None)
    monkeypatch.setattr(hook, "node_from_package", lambda: None)
    with pytest.raises(RuntimeError, match=r"no Node\.js was found; install Node\.js 20"):
        hook.build(house)


def test_a_packaged_node_is_asked_for_only_when_needed(hook, house, monkeypatch):
    asking = hook.CustomBuildHook.__new__(hook.CustomBuildHook)
    monkeypatch.setattr(hook.CustomBuildHook, "root", str(house), raising=False)
    monkeypatch.setattr(hook, "node_on_path", lambda: None)
    monkeypatch.delenv("WATCHWORD_SKIP_UI", raising=False)
    assert asking.dependencies() == [hook.NODE_PACKAGE]
    monkeypatch.setenv("WATCHWORD_SKIP_UI", "1")
    assert asking.dependencies() == []
    monkeypatch.setenv("WATCHWORD_SKIP_UI", "0")
    monkeypatch.setattr(hook, "node_on_path", lambda: (["node"], ["npm"]))
    assert asking.dependencies() == []


def test_the_lock_names_no_host_and_the_three_packages():
    lock = (ROOT / "ui" / "package-lock.json").read_text()
    assert "://" not in lock
    packages = json.loads(lock)["packages"]
    assert packages["node_modules/htmx.org"]["version"] == "4.0.1"
    assert packages["node_modules/echarts"]["version"] == "6.1.0"
    assert packages["node_modules/esbuild"]["version"] == "0.28.2"


def test_the_sources_hold_nothing_that_the_policy_refuses():
    for path in (ROOT / "ui" / "src").rglob("*.js"):
        text = path.read_text()
        assert "innerHTML" not in text, path
        assert "eval(" not in text, path
        assert "http://" not in text, path
