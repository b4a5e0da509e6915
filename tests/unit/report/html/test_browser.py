"""The page in a browser: no message on the console, keys alone, and axe finds nothing.

Needs Chromium, playwright and axe-core-python, which are no dependencies: skipped without them.
"""

import importlib.util
import shutil
from pathlib import Path

import pytest

from support import small_results

pytestmark = pytest.mark.slow
BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
VIEWS = {
    "wide": {"viewport": {"width": 1400, "height": 900}},
    "phone": {"viewport": {"width": 400, "height": 800}},
    "dark": {"viewport": {"width": 1400, "height": 900}, "color_scheme": "dark"},
}


@pytest.fixture(scope="module")
def address(tmp_path_factory) -> str:
    made = small_results.make(tmp_path_factory.mktemp("browser") / "run")
    return (made / small_results.PAGE).as_uri()


@pytest.fixture(scope="module")
def browser():
    sync_api = pytest.importorskip("playwright.sync_api")
    if BROWSER is None:
        pytest.skip("no Chromium here")
    with sync_api.sync_playwright() as p:
        yield p.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])


@pytest.fixture
def open_page(browser, address):
    """Open the page in a view; whatever its console says fails the test at its end."""
    contexts, messages, requests = [], [], []

    def opened(**view):
        context = browser.new_context(bypass_csp=True, **view)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: messages.append(message.text))
        page.on("pageerror", lambda error: messages.append(str(error)))
        page.on("request", lambda request: requests.append(request.url))
        page.goto(address)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert messages == []
    assert [url for url in requests if not url.startswith(("data:", "blob:", address))] == []


@pytest.mark.parametrize("view", VIEWS)
def test_axe_finds_no_violation_and_nothing_is_cut(open_page, view):
    found = importlib.util.find_spec("axe_core_python")
    if found is None or found.origin is None:
        pytest.skip("no axe-core-python here")
    page = open_page(**VIEWS[view])
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true })")
    page.evaluate(Path(found.origin).with_name("axe.min.js").read_text())
    violations = page.evaluate(
        "axe.run().then((r) => r.violations.map((v) => [v.id, v.nodes[0].html]))"
    )
    assert violations == []
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def test_a_number_opens_its_row_by_keys_alone_and_escape_leads_back(open_page):
    page = open_page(**VIEWS["wide"])
    page.locator("#best a.num").first.focus()
    page.keyboard.press("Enter")
    panel = page.locator(".panel")
    row = page.locator("#best a.num").first.get_attribute("data-row")
    assert f"thinslice audit results/tables/benchmark.csv --row {row}" in panel.inner_text()
    assert "module\ninterpolation" in panel.inner_text()
    assert page.evaluate("document.activeElement.textContent") == "Close"
    page.keyboard.press("Escape")
    assert panel.is_hidden()
    assert page.evaluate("document.activeElement.dataset.row") == row


def test_tables_sort_search_and_filter(open_page):
    page = open_page(**VIEWS["wide"])
    page.locator("#table-benchmark + details summary").click()
    table = page.locator("#table-benchmark + details table.long")
    page.locator("#table-benchmark + details input[type=search]").fill("psnr")
    shown = table.locator("tbody tr:visible")
    assert 0 < shown.count() < table.locator("tbody tr").count()
    assert all("PSNR" in text for text in shown.all_inner_texts())
    head = table.locator("th", has_text="mean")
    head.locator("button").press("Enter")
    assert head.get_attribute("aria-sort") == "ascending"
    means = table.locator("tbody tr:visible td[data-v] a.num").evaluate_all(
        "(links) => links.map((link) => Number(link.parentElement.dataset.v))"
    )
    assert means == sorted(means)


def test_the_viewer_shows_slices_and_their_difference(open_page):
    page = open_page(**VIEWS["wide"])
    page.locator(".planes canvas").first.wait_for()
    show = page.locator(".viewer label", has_text="show").locator("select")
    grey = page.locator(".planes canvas").nth(3).screenshot()
    show.select_option("difference")
    page.locator(".legend").wait_for()
    assert page.locator(".planes canvas").nth(3).screenshot() != grey
    slider = page.locator(".planes input").first
    before = page.locator(".planes label").first.inner_text()
    slider.press("ArrowRight")
    page.wait_for_function(
        "(words) => document.querySelector('.planes label').innerText !== words", arg=before
    )
    show.select_option("blink")
    page.wait_for_function("() => document.querySelectorAll('.planes canvas[hidden]').length === 3")


def test_without_scripts_everything_is_still_there(open_page):
    page = open_page(java_script_enabled=False, **VIEWS["wide"])
    assert page.locator(".viewer .stills img").count() == 3
    page.locator("#best a.num").first.click()
    assert "#benchmark-" in page.url
    assert page.locator("tr:target").is_visible()
