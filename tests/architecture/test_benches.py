"""What a benchmark prints can be read by a program: its last line is JSON, and no log line stands between."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).parents[2] / "bench"
MAINS = sorted(path for path in BENCH.glob("*.py") if "def main(" in path.read_text())
FIRST = """
import json, runpy, sys
sys.path.insert(0, {bench!r})
sys.argv = [{path!r}, "--no-such-option"]
import structlog
try:
    runpy.run_path({path!r}, run_name="__main__")
except SystemExit:
    pass
structlog.get_logger().warning("a line of the log")
print(json.dumps({{"result": 1}}))
"""


@pytest.mark.parametrize("path", MAINS, ids=lambda path: path.stem)
def test_log_lines_go_to_stderr(path):
    done = subprocess.run(
        [sys.executable, "-c", FIRST.format(bench=str(BENCH), path=str(path))], capture_output=True, text=True, check=True, timeout=60
    )
    assert json.loads(done.stdout) == {"result": 1}
    assert "a line of the log" in done.stderr
