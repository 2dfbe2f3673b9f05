"""The last word of `make test` is true."""

import importlib.util
from pathlib import Path

PATH = Path(__file__).parent / "closing.py"
spec = importlib.util.spec_from_file_location("closing", PATH)
closing = importlib.util.module_from_spec(spec)
spec.loader.exec_module(closing)

CASES = '<testsuites><testsuite><testcase classname="a.b" name="one" time="1"/>{}</testsuite></testsuites>'
SKIP = '<testcase classname="a.b" name="two" time="0"><skipped message="{}"/></testcase>'


def test_all_well():
    assert closing.closing(CASES.format(SKIP.format("shared data absent: x")), "# c\n* | shared data absent:*\n", 0) == (
        "1 passed, 0 failed, 1 skipped in 1 s of test time",
        0,
    )


def test_a_skip_without_leave_fails():
    text, status = closing.closing(CASES.format(SKIP.format("no chromium")), "* | shared data absent:*", 0)
    assert status == 1
    assert "skipped without leave: a.b::two: no chromium" in text


def test_failures_and_nothing_at_all_fail():
    text, status = closing.closing(CASES.format('<testcase classname="a" name="x"><failure/></testcase>'), "", 1)
    assert (text.splitlines()[-1].startswith("1 passed, 1 failed"), status) == (True, 1)
    assert closing.closing("<testsuites/>", "", 0)[1] == 1
