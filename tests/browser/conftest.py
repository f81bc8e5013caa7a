"""The app, served from a small home, in a headless Chromium."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from finops_core.store.home import Home
from finops_core.store.load import LoadOptions, load
from tests.browser.books import write_books
from tests.shell import farthing

ROOT = Path(__file__).parents[2]
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE = 30_000


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Without a browser there is nothing to drive: `make test` has said so."""
    return True if CHROMIUM is None and collection_path.name.startswith("test_") else None


@dataclass
class App:
    """The running app and the home behind it."""

    url: str
    home: Home
    browser: Browser
    contexts: dict[str, BrowserContext] = field(default_factory=dict)
    """By colour scheme: what pages share, so that Streamlit's own scripts are fetched once."""

    def open(self, path: str, width: int = 1440, height: int = 900, scheme: str = "light") -> Page:
        """A page opened cold by its URL, drawn to its end: a session of its own."""
        if scheme not in self.contexts:
            self.contexts[scheme] = self.browser.new_context(color_scheme=scheme, accept_downloads=True)
        page = self.contexts[scheme].new_page()
        page.set_viewport_size({"width": width, "height": height})
        page.set_default_timeout(PATIENCE)
        page.goto(self.url + path)
        self.settle(page)
        return page

    def settle(self, page: Page) -> None:
        """Waits until the script has run and everything is drawn."""
        page.wait_for_selector("[data-testid=stMainBlockContainer] .farthing-head, [data-testid=stAlert]")
        page.wait_for_function(
            "() => document.querySelector('[data-testid=stApp]')?.dataset.testScriptState === 'notRunning'"
            " && !document.querySelector('[data-testid=stSkeleton], [data-testid=stStatusWidget]')"
        )

    def cli(self, *words: str) -> str:
        """Standard output of the command line on the same home."""
        ran = farthing(self.home, *words)
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    def follow(self, page: Page, title: str) -> None:
        """Goes on to another page by its link in the sidebar."""
        page.locator("[data-testid=stSidebar]").get_by_role("link", name=title, exact=True).click()
        page.wait_for_function(
            "title => document.querySelector('.farthing-head h1')?.textContent === title", arg=title
        )
        self.settle(page)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def serve(home: Home, log: Path, checkout: Path = ROOT) -> tuple[subprocess.Popen[bytes], str]:
    """The app of a checkout over a home: its process and address."""
    port = _free_port()
    environment = {**os.environ, "FARTHING_HOME": str(home.path)}
    command = [sys.executable, "-m", "finops_core", "--home", str(home.path), "serve", "--port", str(port)]
    process = subprocess.Popen(
        command, cwd=checkout, env=environment, stdout=log.open("wb"), stderr=subprocess.STDOUT
    )
    url = f"http://localhost:{port}"
    deadline = time.monotonic() + 60
    while True:
        try:
            with urlopen(f"{url}/_stcore/health", timeout=2):
                return process, url
        except (URLError, OSError):
            if process.poll() is not None or time.monotonic() > deadline:
                process.kill()
                raise RuntimeError(f"the app does not start: {log.read_text('utf-8')}") from None


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def app(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """The app over the books of `tests.browser.books`."""
    directory = tmp_path_factory.mktemp("app")
    home = Home(directory / "home")
    for name, path in write_books(directory / "exports").items():
        load(home, [path], LoadOptions(source=name))
    process, url = serve(home, directory / "log")
    yield App(url, home, browser)
    process.terminate()
    process.wait(20)


@pytest.fixture
def empty_app(browser: Browser, tmp_path: Path) -> Iterator[App]:
    """The app before the first load."""
    home = Home(tmp_path / "home")
    process, url = serve(home, tmp_path / "log")
    yield App(url, home, browser)
    process.terminate()
    process.wait(20)
