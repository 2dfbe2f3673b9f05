"""What a supervising command does apart leaves it small, and its errors are said once, with their status."""

import subprocess
import sys

import pytest

HEAVY = ("sqlalchemy", "pyarrow", "fastapi", "watchword.app.watchword", "watchword.app.demo", "watchword.detect.engine")


def run(body: str) -> subprocess.CompletedProcess[str]:
    """Run statements in a process of their own."""
    head = "import sys\nfrom watchword.cli.apart import apart\nfrom watchword.kit.errors import InputError, Unavailable\n"
    return subprocess.run([sys.executable, "-c", head + body], capture_output=True, text=True, check=False, timeout=60)


def test_the_answer_comes_back_and_what_was_imported_for_it_does_not():
    done = run(
        f"""
def deed():
    import watchword.app.demo, watchword.app.watchword, sqlalchemy
    return ["admin", None, {{"x": 1}}]
print(apart(deed))
import watchword.cli.running, watchword.app.supervisor, watchword.app.settings
print([name for name in {HEAVY!r} if name in sys.modules])
"""
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "['admin', None, {'x': 1}]\n[]\n", "")


@pytest.mark.parametrize(("error", "status"), [("InputError('no such seed', 'seed')", 2), ("Unavailable('PostgreSQL is away')", 3)])
def test_an_error_is_said_once_and_ends_the_command(error, status):
    done = run(f"def deed():\n    raise {error}\napart(deed)\nprint('never')\n")
    assert (done.returncode, done.stdout) == (status, "")
    assert done.stderr.count("watchword: ") == 1


def test_a_failure_shows_where_and_ends_the_command():
    done = run("apart(lambda: 1 / 0)\nprint('never')\n")
    assert (done.returncode, done.stdout) == (1, "")
    assert "ZeroDivisionError" in done.stderr
