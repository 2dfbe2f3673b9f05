"""Our own page about the API: a table of its operations, with no script and no style from elsewhere."""

from html import escape
from typing import Any

from watchword import __version__


def openapi_page(schema: dict[str, Any]) -> str:
    """Return our own page that lists the operations: no script, no style from elsewhere."""
    rows = []
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            name = escape(operation.get("summary", ""))
            words = escape(operation.get("description", ""))
            rows.append(
                f"<tr><td><code>{method.upper()}</code></td><td><code>{escape(path)}</code></td><td>{name}</td><td>{words}</td></tr>"
            )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Watchword API</title>'
        '<meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark"></head><body><main>'
        f"<h1>Watchword API {escape(__version__)}</h1>"
        '<p>The whole contract is in <a href="/api/openapi.json">openapi.json</a> (OpenAPI 3.1). Send '
        "<code>Authorization: Bearer TOKEN</code>; "
        "<code>watchword tokens add</code> makes one. Errors are <code>application/problem+json</code>.</p>"
        '<table><caption>Operations</caption><thead><tr><th scope="col">Method</th><th scope="col">Path</th><th scope="col">What</th>'
        f'<th scope="col">More</th></tr></thead><tbody>{"".join(rows)}</tbody></table></main></body></html>'
    )
