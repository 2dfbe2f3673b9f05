"""The last word of `make test`: how many tests passed, failed and were skipped; a skip that nobody allowed is a failure."""

import sys
from fnmatch import fnmatchcase
from pathlib import Path
from xml.etree import ElementTree as ET


def allowed(text: str) -> list[tuple[str, str]]:
    """Return (glob of the test id, glob of the reason) of every line of the list."""
    rows = [line.split("|", 1) for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [(name.strip(), reason.strip()) for name, reason in rows]


def closing(report: str, list_text: str, status: int) -> tuple[str, int]:
    """Return the closing lines and the exit status for a JUnit report."""
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    lines: list[str] = []
    seconds = 0.0
    for case in ET.fromstring(report).iter("testcase"):  # noqa: S314 - pytest's own report
        name = f"{case.get('classname')}::{case.get('name')}"
        seconds += float(case.get("time") or 0)
        skip = case.find("skipped")
        if skip is not None:
            counts["skipped"] += 1
            reason = (skip.get("message") or "").strip()
            if not any(fnmatchcase(name, test) and fnmatchcase(reason, why) for test, why in allowed(list_text)):
                lines.append(f"skipped without leave: {name}: {reason} (install what it needs, or allow it in tests/allowed_skips.txt)")
        elif case.find("failure") is not None or case.find("error") is not None:
            counts["failed"] += 1
        else:
            counts["passed"] += 1
    status = status or int(bool(lines)) or int(counts["failed"] > 0) or int(counts["passed"] == 0)
    lines.append(", ".join(f"{count} {word}" for word, count in counts.items()) + f" in {seconds:.0f} s of test time")
    return "\n".join(lines), status


def main() -> int:
    """Read the report and the list, print, return the exit status."""
    report, list_path, status = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    if not report.is_file():
        print("pytest wrote no report; see above.\n0 passed, 1 failed")  # noqa: T201 - it is a command
        return status or 1
    text, status = closing(report.read_text(encoding="utf-8"), list_path.read_text(encoding="utf-8"), status)
    print(text)  # noqa: T201 - it is a command
    return status


if __name__ == "__main__":
    sys.exit(main())
