"""The site is built strictly and asks no address outside for anything."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("mkdocs")
pytest.importorskip("material")

# what a browser fetches by itself; a link that is clicked may lead anywhere
FETCHED = re.compile(
    r"<(?:script|link|img|source|iframe|video|audio)\b[^>]*?\b(?:src|href|srcset)=[\"']?((?:https?:)?//[^\"'\s>]+)"
)
STYLED = re.compile(r"(?:url\(|@import )\s*[\"']?((?:https?:)?//[^\"')\s]+)")


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    project, folder = Path(__file__).parents[2], tmp_path_factory.mktemp("site")
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "-q", "-d", str(folder)],
        cwd=project, capture_output=True, text=True, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
    )  # fmt: skip
    assert built.returncode == 0, built.stdout + built.stderr
    return folder


@pytest.mark.slow
def test_it_fetches_nothing_from_elsewhere(site):
    pages = [file for ending in ("*.html", "*.css") for file in site.rglob(ending)]
    assert len(pages) > 30
    outside = {
        f"{file.relative_to(site)}: {address}"
        for file in pages
        for pattern in (FETCHED, STYLED)
        for address in pattern.findall(file.read_text(encoding="utf-8"))
    }
    assert not outside


@pytest.mark.slow
def test_pages_that_lie_elsewhere_or_are_made_are_there(site):
    page = (site / "reference" / "configuration.html").read_text(encoding="utf-8")
    assert "<code>without_partner</code>" in page
    assert "<code>SamplesError</code>" in (site / "errors.html").read_text(encoding="utf-8")
    assert 'href="reference/environments.html"' in (site / "index.html").read_text(encoding="utf-8")
    assert "--8&lt;--" not in (site / "add-a-loss.html").read_text(encoding="utf-8")
    assert (site / "reference" / "pipelines" / "ingestion.html").is_file()


@pytest.mark.slow
def test_every_page_is_in_the_navigation(site):
    home = (site / "index.html").read_text(encoding="utf-8")
    navigation = home[: home.index("<article")]
    pages = [file.relative_to(site).as_posix() for file in site.rglob("*.html") if file.name != "404.html"]
    assert "results/claim.html" in pages
    assert not [page for page in pages if f'href="{page}"' not in navigation]


@pytest.mark.slow
def test_the_reference_is_linked_to_from_the_pages_that_name_it(site):
    for page in ("your-own-data.html", "errors.html"):
        assert 'href="reference/configuration.html"' in (site / page).read_text(encoding="utf-8"), page


def test_no_link_is_dead_where_the_pages_are_read_in_the_repository():
    import docs_hooks

    project = Path(__file__).parents[2]
    files = [*(project / "docs").rglob("*.md"), *(project / name for name in docs_hooks.ELSEWHERE.values())]
    findings = project / "docs" / "findings"  # each is read on the page that it is filled into
    shown = {findings: findings.parent / "results", findings / "RESULTS.md": findings.parent}
    dead = [
        f"{file.relative_to(project)}: {target}"
        for file in files
        for _, target, _ in docs_hooks.LINK.findall(re.sub(r"`[^`]*`", "", file.read_text(encoding="utf-8")))
        if not (shown.get(file, shown.get(file.parent, file.parent)) / target).exists()
    ]
    assert len(files) > 30 and not dead


def test_every_error_says_what_it_means_and_every_phrase_of_the_page_is_one_of_the_code():
    import docs_hooks

    found = docs_hooks.errors()
    assert {"SamplesError", "ConfigError", "ModelError", "Told"} <= set(found)
    assert all(len(doc) > 20 for doc, _ in found.values()), found
    project = Path(__file__).parents[2]
    code = "\n".join(file.read_text(encoding="utf-8") for file in (project / "src").rglob("*.py"))
    code = re.sub(r'"\s*\n\s*f?"', "", code)  # texts that go on in the next line
    rows = re.findall(r"^\| `(.+?)` \| .+ \| .+ \|$", (project / "docs/errors.md").read_text(encoding="utf-8"), re.M)
    assert len(rows) > 15
    assert not [phrase for phrase in rows if phrase not in code]
