"""Forms whose fields are not known beforehand, as text by name."""

from typing import Annotated

from fastapi import Depends, Request


async def form_of(request: Request) -> dict[str, str]:
    """Return a form's fields as text; of a field that comes several times, all values separated by spaces."""
    form = await request.form(max_files=0, max_fields=200)
    found: dict[str, str] = {}
    for name, value in form.multi_items():
        if isinstance(value, str):
            found[name] = f"{found[name]} {value}" if name in found else value
    return found


Fields = Annotated[dict[str, str], Depends(form_of)]
