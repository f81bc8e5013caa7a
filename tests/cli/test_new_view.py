"""The command that writes a new view: the page, its line in app.py, and refusals that change nothing."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    shutil.copy(ROOT / "app.py", tmp_path / "app.py")
    shutil.copytree(ROOT / "pages", tmp_path / "pages", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def new_view(checkout: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "finops_core", "new-view", *words, "--app", str(checkout / "app.py")]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_a_view_of_under_thirty_lines_and_its_line(checkout: Path) -> None:
    before = (checkout / "app.py").read_text()
    done = new_view(checkout, "by_region", "--title", "Where we run", "--group", "RegionId")
    assert done.returncode == 0 and "/by-region" in done.stdout
    page = (checkout / "pages" / "by_region.py").read_text()
    assert len(page.splitlines()) < 30 and 'kit.page("Where we run", group="RegionId"' in page
    line = '        view("by_region", "Where we run", "analytics"),\n'
    after = (checkout / "app.py").read_text()
    assert after.replace(line, "") == before and after.count(line) == 1
    compile(after, "app.py", "exec")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["explorer"], "there is a page 'explorer' already"),
        (["By Region"], "small letters"),
        (["../evil"], "small letters"),
        (["by_region", "--group", "Regionid"], "did you mean RegionId"),
        (["by_region", "--title", 'a"b'], "cannot hold quotes"),
    ],
)
def test_what_cannot_be_made_changes_nothing(checkout: Path, words: list[str], told: str) -> None:
    before = (checkout / "app.py").read_text()
    done = new_view(checkout, *words)
    assert (done.returncode, done.stdout) == (2, "") and told in done.stderr
    assert (checkout / "app.py").read_text() == before
    assert not (checkout / "pages" / "by_region.py").exists()


def test_the_whole_kit_is_listed() -> None:
    from ui.kit import Page

    text = (ROOT / "docs" / "new-view.md").read_text("utf-8")
    methods = [n for n, v in vars(Page).items() if callable(v) and not n.startswith("_")]
    assert len(methods) <= 16
    assert [name for name in methods if f"page.{name}(" not in text] == []
