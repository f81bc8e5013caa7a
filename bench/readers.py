"""Ten readers at once, in browsers, on a large estate: none fails, and the app stays below 1.5 GB. --rows as in bench/queries.py,
whose home is used again where --directory keeps it."""

import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.request import urlopen

from _claims import ROOT, Claims, arguments, farthing, workspace
from _exports import write_focus_parquet
from playwright.sync_api import Page, sync_playwright

READERS = 10
VIEWS = (
    "/",
    "/explorer?by=ServiceName&grain=month",
    "/explorer?by=SubAccountName&by=ServiceName&grain=week",
    "/movers?by=ServiceName",
    "/explorer?by=x_Team&table=pivot",
    "/explorer?by=RegionId&table=charges&where=x_Team%3Dteam-3",
    "/explorer?by=ServiceName&chart=heat",
    "/movers?by=x_Team&chart=causes",
    "/explorer?by=x_Environment&chart=lines&metric=BilledCost",
    "/reconciliation",
)
ROUNDS = 3
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def resident(process: int) -> int:
    """Bytes of memory that a process holds."""
    status = Path("/proc", str(process), "status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) * 1024


def drawn(page: Page) -> bool:
    """Whether a view was drawn to its end, without an error."""
    page.wait_for_selector(".farthing-head", timeout=120_000)
    page.wait_for_function(
        "() => document.querySelector('[data-testid=stApp]')?.dataset.testScriptState === 'notRunning'",
        timeout=120_000,
    )
    return page.locator("[data-testid=stException], [data-testid=stAlertContentError]").count() == 0


options = arguments(3_000_000)
claims = Claims()
with workspace(options.directory) as directory:
    home = directory / f"home-{options.rows}"
    if not (home / "finops.duckdb").exists():
        export = directory / f"focus-{options.rows}.parquet"
        if not export.exists():
            write_focus_parquet(export, options.rows)
        farthing(home, "ingest", str(export))
    port = free_port()
    command = [sys.executable, "-m", "finops_core", "--home", str(home), "serve", "--port", str(port)]
    app = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        url = f"http://localhost:{port}"
        for _ in range(120):
            try:
                urlopen(f"{url}/_stcore/health", timeout=1).close()
                break
            except OSError:
                time.sleep(0.5)
        failed, most, slowest = 0, 0, 0.0
        with sync_playwright() as playwright:
            chromium = playwright.chromium.launch(
                executable_path=shutil.which("chromium") or shutil.which("google-chrome"), args=FLAGS
            )
            pages = [chromium.new_context().new_page() for _ in range(READERS)]
            for turn in range(ROUNDS):
                began = time.perf_counter()
                for number, page in enumerate(pages):
                    page.goto(url + VIEWS[(number + turn * 3) % len(VIEWS)], wait_until="commit")
                for page in pages:
                    failed += not drawn(page)
                    most = max(most, resident(app.pid))
                slowest = max(slowest, time.perf_counter() - began)
            chromium.close()
        print(
            f"{READERS} readers, {ROUNDS} rounds: the last of ten views is drawn after {slowest:.1f} s at most"
        )
        claims.at_most("views that failed", failed, 0)
        claims.at_most("memory of the app", most / 1e9, 1.5, " GB")
    finally:
        app.terminate()
        app.wait(30)
claims.finish()
