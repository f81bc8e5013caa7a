"""Pages opened without a browser: the app runs in this process, as one reader's session."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import streamlit
from streamlit.testing.v1 import AppTest

from finops_core.store.home import Home

ROOT = Path(__file__).parents[2]


@contextmanager
def at_home(home: Home) -> Iterator[None]:
    """Whatever runs in it reads this home."""
    with mock.patch.dict("os.environ", {"FARTHING_HOME": str(home.path)}):
        streamlit.cache_resource.clear()
        streamlit.cache_data.clear()
        yield


def opened(home: Home, name: str, **parameters: str) -> AppTest:
    """A page, opened by its link."""
    with at_home(home):
        app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).run()
        app.query_params.update(parameters)
        return app.switch_page(f"pages/{name}.py").run()


def heading(app: AppTest) -> str:
    bodies = [str(element.proto.body) for element in app.main if element.type == "html"]
    return next(body for body in bodies if "<h1>" in body).partition("<h1>")[2].partition("</h1>")[0]
