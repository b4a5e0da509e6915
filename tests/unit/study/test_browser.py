"""The page in a browser, with simulated annotators: keys, windows, zoom, resuming, saving.

Needs Chromium and playwright, which are no dependencies: skipped without them.
"""

import json
import shutil

import pytest

from support import studies
from thinslice.errors import Refused
from thinslice.study import make, planes, score
from thinslice.study.answers import read_all, read_key

pytestmark = pytest.mark.slow
BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)


@pytest.fixture(scope="module")
def browser():
    sync_api = pytest.importorskip("playwright.sync_api")
    if BROWSER is None:
        pytest.skip("no Chromium here")
    with sync_api.sync_playwright() as p:
        yield p.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])


@pytest.fixture(scope="module")
def study():
    return make.make(studies.plan(n=6))


@pytest.fixture
def place(study, tmp_path):
    make.write(study, tmp_path / "page.html", tmp_path / "key.json")
    return tmp_path


@pytest.fixture
def visit(browser, place):
    """Open the page in a browser of its own; whatever its console says fails the test."""
    context, messages, requests = browser.new_context(), [], []

    def opened(name="page.html"):
        page = context.new_page()
        page.set_default_timeout(10000)
        page.on("console", lambda message: messages.append(message.text))
        page.on("pageerror", lambda error: messages.append(str(error)))
        page.on("request", lambda request: requests.append(request.url))
        page.goto((place / name).as_uri())
        return page

    yield opened
    context.close()
    assert messages == []
    assert [url for url in requests if not url.startswith(("data:", "blob:", "file:"))] == []


def begin(page, annotator, group="radiologist"):
    page.fill("#annotator", annotator)
    page.select_option("#group", group)
    page.press("#annotator", "Enter")


def at(page, k):
    """Wait until pair ``k`` is shown, and can be answered."""
    page.wait_for_selector(f'body[data-ready="{k}"]')
    page.wait_for_timeout(350)


def saved(page, path):
    with page.expect_download() as download:
        page.click("#save")
    download.value.save_as(path)
    return path


def test_simulated_annotators_by_keys_alone_are_scored_as_they_chose(visit, study, place):
    paths = []
    choosers = {"Ärztin 1": studies.SHARP, "Arzt 2": studies.SHARP, "P3": studies.BLURRED}
    for name, method in choosers.items():
        page = visit()
        begin(page, name, "other" if name == "P3" else "radiologist")
        for k, pair in enumerate(study.key["pairs"]):
            at(page, k)
            side = studies.always(method)(pair)
            page.keyboard.press({"left": "ArrowLeft", "right": "ArrowRight"}[side])
        at(page, "end")
        assert "All 6 pairs are answered" in page.inner_text("#left-over")
        paths.append(saved(page, place / f"{len(paths)}.json"))
    key = read_key(place / "key.json")
    rows = score.preferences(key, read_all(paths, key))
    counts = {row.who: (row.preferred, row.against_preferred) for row in rows}
    assert counts["all"] == (12, 6)
    assert counts["radiologist"] == (12, 0)
    assert counts["Ärztin 1"] == (6, 0)
    assert counts["P3"] == (0, 6)


def test_keys_pressed_faster_than_a_pair_can_be_seen_answer_one(visit):
    page = visit()
    begin(page, "Ann")
    at(page, 0)
    page.keyboard.press("ArrowRight")
    for _ in range(2):
        page.wait_for_selector('body[data-ready="1"]')
        page.keyboard.press("ArrowRight")
    at(page, 1)
    assert page.inner_text("#progress") == "2 of 6"


def test_it_goes_on_where_it_stopped_and_incomplete_answers_are_counted(visit, place):
    page = visit()
    begin(page, "Ann")
    for k in range(2):
        at(page, k)
        page.click("#choose-left")
    at(page, 2)
    path = saved(page, place / "some.json")
    key = read_key(place / "key.json")
    with pytest.raises(Refused, match="no answer to 4 of 6 pairs"):
        read_all([path], key)
    page.close()
    page = visit()
    begin(page, "ann")
    at(page, 2)
    page.keyboard.press("ArrowUp")
    at(page, 1)
    assert "You chose left." in page.inner_text("footer")
    page.keyboard.press("ArrowRight")
    at(page, 2)
    assert json.loads(saved(page, place / "more.json").read_text())["answers"][1][0] == "right"
    page = visit()
    begin(page, "ANN", "other")
    page.wait_for_selector("#other:not(:empty)")
    assert page.inner_text("#other").startswith("ANN began as radiologist")
    page = visit()
    begin(page, "Bob")
    at(page, 0)


def test_the_images_are_the_hu_of_the_scans_in_the_window_chosen(visit, study):
    page = visit()
    begin(page, "Ann")
    at(page, 0)
    pair = study.key["pairs"][0]
    assert page.locator("canvas").count() == 3
    for side in ("left", "right"):
        blur = {studies.SHARP: 1, studies.BLURRED: 2}[pair[side]]
        scan = studies.scan(int(pair["case"][-1]), blur)
        image = planes.cut(scan, pair["plane"], pair["index"])
        y, x = (n // 2 for n in image.shape)
        low, high = planes.WINDOWS["soft"]
        expected = (image[y, x] - low) / (high - low) * 255
        grey = page.evaluate(
            """async ([k, side, y, x, limits]) => {
                const text = (id) => document.getElementById(id).textContent;
                const about = JSON.parse(text("head")).pairs[k];
                const images = await readBlock(about, text(`pair${k}`));
                const shown = inWindow(images[side], limits);
                return shown.getContext("2d").getImageData(x, y, 1, 1).data[0];
            }""",
            [0, ("left", "right").index(side), y, x, [low, high]],
        )
        assert grey == pytest.approx(min(max(expected, 0), 255), abs=0.51)


def test_windows_and_zoom_change_every_image(visit):
    page = visit()
    begin(page, "Ann")
    at(page, 0)

    def pictures():
        return [page.locator(f"#{side}").screenshot() for side in ("left", "middle", "right")]

    before = pictures()
    page.keyboard.press("b")
    assert page.get_attribute("#window-bone", "aria-pressed") == "true"
    bone = pictures()
    page.keyboard.press("+")
    zoomed = pictures()
    assert all(a != b and b != c for a, b, c in zip(before, bone, zoomed))
    page.keyboard.press("0")
    page.keyboard.press("s")
    assert pictures() == before


def test_an_edited_picture_is_not_shown_and_an_edited_question_is_refused(visit, study, place):
    html = study.page.html
    at_data = html.index('id="pair0">') + len('id="pair0">') + 40
    flipped = "A" if html[at_data] != "A" else "B"
    (place / "picture.html").write_text(html[:at_data] + flipped + html[at_data + 1 :])
    page = visit("picture.html")
    begin(page, "Ann")
    page.wait_for_selector("#damaged")
    assert "changed since the page was made" in page.inner_text("#damaged")
    (place / "words.html").write_text(html.replace('"← left"', '"← sharper"'))
    page = visit("words.html")
    begin(page, "Ann")
    at(page, 0)
    path = saved(page, place / "edited.json")
    key = read_key(place / "key.json")
    with pytest.raises(Refused, match="a page that was edited"):
        read_all([path], key, partial=True)


LATE_ONCE = """() => {
    const whole = Response.prototype.arrayBuffer;
    let late = true;
    Response.prototype.arrayBuffer = async function () {
        if (late) {
            late = false;
            await new Promise((go) => setTimeout(go, 300));
            document.body.dataset.late = "read";
        }
        return whole.call(this);
    };
}"""


def test_of_two_pairs_asked_for_at_once_the_latter_is_shown_however_late_the_first_is_read(visit):
    page = visit()
    begin(page, "Ann")
    for k in range(3):
        at(page, k)
        page.keyboard.press("ArrowLeft")
    at(page, 3)
    page.evaluate(LATE_ONCE)
    twice = "document.getElementById('back').click(), document.getElementById('back').click()"
    page.evaluate(f"() => {{ {twice}; document.getElementById('window-bone').click(); }}")
    page.wait_for_selector('body[data-late="read"]')
    page.wait_for_timeout(100)
    assert page.inner_text("#progress") == "2 of 6"
    assert page.get_attribute("body", "data-ready") == "1"


def test_titles_questions_groups_and_names_are_text_whatever_is_in_them(visit, place):
    words = "</script><script>window.run = 1</script><!-- <img src=x onerror='window.run=1'> 日本"
    study = make.make(studies.plan(n=2, title=words, question=words, groups=(words,)))
    make.write(study, place / "words.html", place / "words.json")
    page = visit("words.html")
    begin(page, words[8:60] + "ß", words)
    at(page, 0)
    page.keyboard.press("B")
    assert page.get_attribute("#window-bone", "aria-pressed") == "true"
    assert words in page.inner_text("footer")
    for k in range(2):
        at(page, k)
        page.keyboard.press("ArrowLeft")
    at(page, "end")
    assert page.title() == words
    assert page.evaluate("window.run") is None
    (reader,) = read_all([saved(page, place / "words.answers")], read_key(place / "words.json"))
    assert (reader.name, reader.group) == (words[8:60] + "ß", words)
