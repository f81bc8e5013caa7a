"""Commands for who works on the product: a new view to start from."""

import re
from pathlib import Path
from typing import Annotated

import typer

from finops_core.cli.session import app, put
from finops_core.errors import UsageError

_VIEW = '''"""{title}: what it costs, and how that changed."""

from ui import kit

page = kit.page("{title}", group="{group}", period="6-months", grain="month")
page.answer()
page.figures()
page.chart()
page.changes()
page.table_choice()
page.table()
page.as_code()
'''


@app.command("new-view")
def new_view(
    name: Annotated[str, typer.Argument(help="The page's name in the address, such as by_region.")],
    title: Annotated[
        str | None, typer.Option(help="What stands on top; by default the name in words.")
    ] = None,
    group: Annotated[str, typer.Option(help="The dimension that it begins with.")] = "ServiceName",
    app_file: Annotated[Path | None, typer.Option("--app", help="The app.py to add it to.")] = None,
) -> None:
    """Write a page that works, and its line in app.py: a view of your own to change."""
    from finops_core.vocabulary.dimensions import dimension

    found = app_file or Path(__file__).parents[2] / "app.py"
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,40}", name):
        raise UsageError(
            f"the name {name!r} may only hold small letters, digits and _, and begins with a letter"
        )
    if not found.exists():
        raise UsageError(f"there is no {found}: make a view in a checkout")
    dimension(group)
    words = title or name.replace("_", " ").capitalize()
    if '"' in words or "\\" in words or "\n" in words:
        raise UsageError("a title cannot hold quotes, backslashes or line ends")
    page = found.parent / "pages" / f"{name}.py"
    if page.exists():
        raise UsageError(f"there is a page {name!r} already: {page}")
    text = found.read_text("utf-8")
    line = f'        view("{name}", "{words}", "analytics"),\n'
    changed = re.sub(
        r'(    "Spend": \[\n(?:        .*\n)*)(    \],\n)', lambda m: m[1] + line + m[2], text, count=1
    )
    if changed == text:
        raise UsageError(
            f'{found} has no group "Spend" of views to add one to: add this line by hand: {line.strip()}'
        )
    page.write_text(_VIEW.format(title=words, group=group), "utf-8")
    found.write_text(changed, "utf-8")
    put(
        f"{page}: the app shows it at /{name.replace('_', '-')} when it starts anew; `farthing serve --watch` follows what you change"
    )
