"""The page as people use it, in a browser: with a mouse, with keys alone, on a phone."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from biobert.core.document import Document
from biobert.data.formats.jsonl import document_from_json
from biobert.data.reading import read_documents
from biobert.serving.keys import create_key
from tests.data.formats.pdfs import ENCRYPTED, pdf_of_lines
from tests.serving.browser import address_of, browser, opened
from tests.serving.texts import TEXTS

HOSTILE = "<img src=x onerror=alert(1)>"
HUES = (8, 205, 130, 275, 38, 330, 175, 60, 240, 95, 300, 20, 150)
SHOWN = """() => {
  const found = new Map();
  for (const mark of document.querySelectorAll('#reading mark:not(.off)')) {
    const old = found.get(mark.dataset.number) ?? '';
    found.set(mark.dataset.number, old + mark.textContent);
  }
  return [...found.values()];
}"""
CONTRASTS = """() => {
  const values = (colour) => {
    const [r, g, b, a = 1] = colour.match(/[\\d.e-]+/g).map(Number);
    return { rgb: colour.startsWith('color') ? [r, g, b] : [r / 255, g / 255, b / 255], a };
  };
  const light = (rgb) => {
    const [r, g, b] = rgb.map((x) => (x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (let one = element; one; one = one.parentElement) {
      const { rgb, a } = values(getComputedStyle(one).backgroundColor);
      if (a === 1) return rgb;
    }
    return [1, 1, 1];
  };
  const low = [];
  const check = (element, style, text) => {
    const [one, other] = [light(values(style.color).rgb), light(behind(element))];
    const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    if (ratio < 4.5) low.push([element.tagName, element.className, text, ratio]);
  };
  for (const element of document.body.querySelectorAll('*')) {
    if (!element.checkVisibility({ visibilityProperty: true })) continue;
    const words = [...element.childNodes].some((one) => one.nodeType === 3 && one.data.trim());
    if (words) check(element, getComputedStyle(element), element.textContent.slice(0, 20));
    const after = getComputedStyle(element, '::after');
    if (element.dataset.label && element.tagName === 'MARK') check(element, after, 'label');
  }
  return low;
}"""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with browser() as found:
        yield found


@pytest.fixture(scope="module")
def address(folders: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A service with the built-in model, one whose labels attack, and relations."""
    from tests.tiny import write_tiny_model_folder

    hostile = tmp_path_factory.mktemp("hostile") / "labels"
    write_tiny_model_folder(hostile, labels=[HOSTILE, '"><script>alert(2)</script>'])
    models = [
        {"name": "entities", "folder": "embedded"},
        {"name": "hostile", "folder": str(hostile)},
        {"name": "relations", "folder": str(folders["relations"])},
    ]
    with address_of(models=models) as found:
        yield found


@pytest.fixture
def page(chromium: Any, address: str) -> Iterator[Any]:
    with opened(chromium, address) as found:
        yield found


def annotate(page: Any, text: str | None = None) -> dict[str, Any]:
    """What the service answers when the text is annotated, after the page shows it."""
    if text is not None:
        page.fill("#text", text)
    with page.expect_response("**/v1/annotate*") as asked:
        page.click("#annotate")
    answer: dict[str, Any] = asked.value.json()
    page.wait_for_selector("body:not(.busy)")
    return answer


def document_of(answer: dict[str, Any], place: int = 0) -> Document:
    return document_from_json(answer["documents"][place])


def until(page: Any, script: str) -> None:
    """Wait for a script to give true; Playwright's own way evaluates text, which the page bars."""
    for _ in range(200):
        if page.evaluate(script):
            return
        page.wait_for_timeout(50)
    raise AssertionError(script)


def mentions(document: Document, least: float = 0.0) -> list[str]:
    return sorted(document.mention(one) for one in document.entities if (one.score or 0) >= least)


def upload(page: Any, name: str, content: bytes) -> None:
    page.set_input_files("#file", {"name": name, "mimeType": "", "buffer": content})
    page.wait_for_selector("#file-card:not([hidden])")


def is_wider_than_the_window(page: Any) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth > innerWidth"))


def test_an_example_in_one_click_and_filters(page: Any) -> None:
    page.evaluate("""() => {
      window.shifts = 0;
      new PerformanceObserver((list) => {
        for (const one of list.getEntries()) if (!one.hadRecentInput) window.shifts += one.value;
      }).observe({ type: 'layout-shift', buffered: true });
    }""")
    with page.expect_response("**/v1/annotate*") as asked:
        page.click("#example")
    document = document_of(asked.value.json())
    page.wait_for_selector("#results:not([hidden])")
    assert len(document.entities) > 10
    assert sorted(page.evaluate(SHOWN)) == mentions(document)
    assert page.text_content("#reading").replace("\n", "") == document.text.replace("\n", "")
    assert page.text_content("#status") == f"{len(document.entities)} mentions in 1 document."

    counts = page.evaluate("""() => Object.fromEntries([...document.querySelectorAll('.type')]
        .map((one) => [one.dataset.label, Number(one.querySelector('.count').textContent)]))""")
    labels = [one.label for one in document.entities]
    assert counts == {label: labels.count(label) for label in labels}

    page.click(".type[data-label=Disease]")
    others = [document.mention(one) for one in document.entities if one.label != "Disease"]
    assert sorted(page.evaluate(SHOWN)) == sorted(others)
    assert page.get_attribute(".type[data-label=Disease]", "aria-pressed") == "false"
    page.click(".type[data-label=Disease]")

    page.fill("#score", "99")
    until(page, "document.querySelector('#score-value').textContent === '99 %'")
    until(page, "document.querySelector('mark.off') !== null")
    assert sorted(page.evaluate(SHOWN)) == mentions(document, 0.99)
    assert page.text_content("#status").endswith("mentions shown.")
    assert page.evaluate("window.shifts") < 0.01


def test_the_card_tells_of_all_mentions_under_the_pointer(page: Any) -> None:
    document = document_of(annotate(page, TEXTS[0]))
    spans = [(one.start, one.end) for one in document.entities]
    twice = next(one for one in spans if spans.count(one) == 2)
    inner = page.locator("#reading mark mark").first
    assert inner.text_content() == document.text[slice(*twice)]
    inner.hover()
    page.wait_for_selector("#card:not([hidden])")
    kinds = page.locator("#card .dot-name").all_text_contents()
    assert len(kinds) == 2 and len(set(kinds)) == 2
    assert page.locator("#card .kind").first.text_content().endswith("%")
    page.keyboard.press("Escape")
    assert page.is_hidden("#card")
    lines = page.evaluate("""() => [...document.querySelectorAll('mark:has(mark), mark mark')]
        .map((one) => one.getBoundingClientRect().bottom)""")
    assert lines[0] - lines[1] >= 2, "the lines of both must be seen"


def test_offsets_beyond_the_basic_plane(page: Any) -> None:
    text = "😀 Aspirin 𝒜𝒷 👩‍⚕️ may cause gastric ulcers 🧬 in patients; 𝛽-blockers may not."
    document = document_of(annotate(page, text))
    assert {"Aspirin", "gastric ulcers", "patients"} <= set(mentions(document))
    assert sorted(page.evaluate(SHOWN)) == mentions(document)
    assert page.text_content("#reading") == text


def test_marks_cover_what_they_should_however_they_overlap(page: Any) -> None:
    wrong = page.evaluate("""async () => {
      const { treeOf, unitsOf } = await import('/web/text.js');
      let seed = 7;
      const random = (below) => (seed = (seed * 48271) % 2147483647) % below;
      for (let round = 0; round < 500; round += 1) {
        const text = 'abcdefghijklmnopqrst';
        const spans = Array.from({ length: random(7) }, (_, number) => {
          const start = random(19);
          return { start, end: start + 1 + random(20 - start), number };
        });
        const covered = [];
        const walk = (branches, over) => branches.forEach((one) => {
          if (typeof one === 'string') {
            for (const letter of one) covered.push([letter, ...over].join());
          } else walk(one.inside, [...over, one.span.number].sort());
        });
        walk(treeOf(text, spans, 2, 18), []);
        const expected = [...text].slice(2, 18).map((letter, place) => [
          letter, ...spans.filter((one) => one.start <= place + 2 && one.end > place + 2)
            .map((one) => one.number).sort()].join());
        if (covered.join(' ') !== expected.join(' ')) return [covered, expected, spans];
      }
      const text = 'a😀b𝒜';
      return [0, 1, 2, 3, 4].map(unitsOf(text)).join() === '0,1,3,4,6' ? null : 'units';
    }""")
    assert wrong is None


def test_markup_stays_text(page: Any) -> None:
    page.select_option("#model", "hostile")
    page.select_option("#relations-model", "")
    text = f"{HOSTILE} <script>alert(3)</script> aspirin & lithium </article>"
    document = document_of(annotate(page, text))
    assert document.entities and all("<" in one.label for one in document.entities)
    assert page.text_content("#reading") == text
    assert HOSTILE in page.text_content("#types") + page.text_content("#mention-list")
    upload(page, f"{HOSTILE}.txt", b"aspirin")
    assert page.text_content("#file-name") == f"{HOSTILE}.txt"
    annotate(page)
    upload(page, "<b>1</b>.pubtator", b"1|t|<u>a</u>\nnonsense <i>x</i>\n")
    annotate(page)
    page.wait_for_selector(".error")
    assert page.locator("main img, main script, main i, main u").count() == 0


def test_keys_alone(page: Any) -> None:
    press = page.keyboard.press

    def focused(script: str = "one.id || one.textContent") -> str:
        return str(page.evaluate(f"((one) => {script})(document.activeElement)"))

    press("Tab")
    assert focused() == "Skip to the text field"
    assert page.evaluate("document.activeElement.getBoundingClientRect().top >= 0")
    press("Enter")
    assert focused() == "text"
    page.keyboard.type("Aspirin may cause gastric ulcers.")
    for _ in range(12):
        press("Tab")
        assert page.evaluate("""() => {
          const one = document.activeElement;
          const shown = one.type === 'file' ? one.parentElement.querySelector('label') : one;
          return getComputedStyle(shown).outlineStyle !== 'none';
        }"""), focused()
        if focused() == "annotate":
            break
    press("Enter")
    page.wait_for_selector("#results:not([hidden])")
    assert focused() == "results-title"
    while focused("one.tagName") != "MARK":
        press("Tab")
    assert focused("one.getAttribute('aria-label')").startswith("Aspirin, Chemical, ")
    assert page.is_visible("#card")
    press("ArrowRight")
    label = focused("one.getAttribute('aria-label')")
    assert label.startswith("gastric ulcers, ") and label.endswith("%")
    press("Escape")
    assert page.is_hidden("#card")
    press("Home")
    assert "Aspirin" in focused("one.getAttribute('aria-label')")
    while focused("one.matches('.type') ? one.dataset.label : ''") != "Chemical":
        press("Shift+Tab")
    press("Space")
    assert "Aspirin" not in page.evaluate(SHOWN)
    while focused("one.closest('#mention-list') ? 'list' : ''") != "list":
        press("Tab")
    press("Enter")
    assert focused("one.tagName") == "MARK"


def test_everything_has_a_name_and_a_place(page: Any) -> None:
    annotate(page, TEXTS[0])
    assert page.evaluate("document.documentElement.lang") == "en"
    assert page.locator("main").count() == page.locator("header").count() == 1
    nameless = page.evaluate("""() => [
        ...document.querySelectorAll('button, input, select, textarea')]
      .filter((one) => one.checkVisibility())
      .filter((one) => !one.textContent.trim() && !one.ariaLabel && !one.labels?.length)
      .map((one) => one.id)""")
    assert nameless == []
    assert page.get_attribute("#status", "aria-live") == "polite"
    assert page.get_attribute("#errors", "role") == "alert"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast_and_a_calm_page(chromium: Any, address: str, scheme: str) -> None:
    options = {"color_scheme": scheme, "reduced_motion": "reduce"}
    with opened(chromium, address, **options) as page:
        annotate(page, " ".join([TEXTS[0]] * 8))
        page.click(".type >> nth=1")
        for number, hue in enumerate(HUES):
            page.evaluate(
                """([number, hue]) => [document.querySelectorAll('#reading mark')[number],
                  document.querySelectorAll('.type')[number]].forEach(
                    (one) => one?.style.setProperty('--hue', hue))""",
                [number, hue],
            )
        page.locator("#reading mark:not(.off)").first.hover()
        page.wait_for_selector("#card:not([hidden])")
        assert page.evaluate(CONTRASTS) == []
        page.click("#clear")
        page.click("#annotate")
        page.wait_for_selector(".error")
        assert page.evaluate(CONTRASTS) == []
        back = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (back == "rgb(20, 22, 26)") is (scheme == "dark")
        bar = "getComputedStyle(document.querySelector('.bar'), '::after').animationName"
        assert page.evaluate(bar) == "none"


def test_a_phone(chromium: Any, address: str) -> None:
    size = {"width": 360, "height": 740}
    with opened(chromium, address, viewport=size, has_touch=True, is_mobile=True) as page:
        assert not is_wider_than_the_window(page)
        annotate(page, f"{TEXTS[0]} {'methyl' * 60} {TEXTS[2]}")
        assert not is_wider_than_the_window(page)
        page.locator("#reading mark").last.tap()
        page.wait_for_selector("#card:not([hidden])")
        assert not is_wider_than_the_window(page)
        upload(page, f"{'long' * 60}.pdf", b"%PDF-")
        annotate(page)
        page.wait_for_selector(".error")
        assert not is_wider_than_the_window(page)


@pytest.mark.parametrize("format", ["json", "jsonl", "pubtator", "bioc-json", "bioc-xml"])
def test_downloads_hold_what_is_shown(page: Any, format: str, tmp_path: Path) -> None:
    document = document_of(annotate(page, "😀 Aspirin\nIt may cause gastric ulcers."))
    page.click(".type[data-label=Anatomy]")
    page.select_option("#download-format", format)
    with page.expect_download() as saved:
        page.click("#download")
    file = tmp_path / saved.value.suggested_filename
    saved.value.save_as(file)
    assert file.name.startswith("annotated.")
    if format == "json":
        found = document_of(json.loads(file.read_text()))
    else:
        (found,) = read_documents(file)
    kept = [one for one in document.entities if one.label != "Anatomy"]
    spans = [(one.start, one.end, one.label) for one in found.entities]
    assert spans == [(one.start, one.end, one.label) for one in kept]
    assert found.text == document.text and len(kept) < len(document.entities)


def test_a_pdf_and_what_is_none(page: Any, tmp_path: Path) -> None:
    lines = ["Aspirin may cause gastric ul-", "cers in patients with diabetes."]
    upload(page, "paper (1).pdf", pdf_of_lines([lines]))
    assert page.text_content("#format option") == "recognised: PDF"
    found = mentions(document_of(annotate(page)))
    assert "gastric ulcers" in found
    assert sorted(page.evaluate(SHOWN)) == found
    with page.expect_download() as saved:
        page.click("#download")
    assert saved.value.suggested_filename == "paper (1).json"
    page.click("#clear")
    assert page.is_hidden("#results") and page.is_visible("#text")
    upload(page, "locked.pdf", pdf_of_lines([lines], trailer=ENCRYPTED))
    page.click("#annotate")
    page.wait_for_selector(".error")
    assert "encrypted" in page.text_content(".error")
    assert "HTTP 422" in page.text_content(".error") and "request " in page.text_content(".error")


def test_a_dropped_file_with_several_documents(page: Any) -> None:
    content = f"7|t|Aspirin.\n7|a|{TEXTS[0]}\n\n8|t|Lithium.\n8|a|{TEXTS[2]}\n"
    page.evaluate(
        """(content) => {
          const dataTransfer = new DataTransfer();
          dataTransfer.items.add(new File([content], 'two.txt'));
          document.body.dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true }));
        }""",
        content,
    )
    page.wait_for_selector("#file-card:not([hidden])")
    assert page.text_content("#format option") == "recognised: PubTator"
    answer = annotate(page)
    assert [one["id"] for one in answer["documents"]] == ["7", "8"]
    assert page.locator("#document option").count() == 2
    assert sorted(page.evaluate(SHOWN)) == mentions(document_of(answer, 0))
    page.click("#next")
    assert sorted(page.evaluate(SHOWN)) == mentions(document_of(answer, 1))
    assert page.text_content("#reading h3") == "Lithium."
    assert page.is_disabled("#next") and not page.is_disabled("#previous")


def test_formats_are_recognised(page: Any) -> None:
    heads = {
        "Aspirin < lithium": "text",
        "\ufeff1|t|Title\n1|a|b": "pubtator",
        "<?xml version='1.0'?>\n<!DOCTYPE PubmedArticleSet>\n<PubmedArticleSet>": "pubmed",
        '<!-- x --><article xmlns="y">': "jats",
        "<collection><source/>": "bioc-xml",
        '{"source": "x", "documents": []}': "bioc-json",
        "%PDF-1.4": "pdf",
        "PK\x03\x04": None,
    }
    found = page.evaluate(
        "async (heads) => { const { formatOf } = await import('/web/formats.js');"
        " return heads.map((one) => formatOf(one)); }",
        list(heads),
    )
    assert found == list(heads.values())
    upload(page, "texts.gz", b"\x1f\x8b\x08\x00\x00")
    page.click("#annotate")
    page.wait_for_selector(".error")
    assert "unpack it" in page.text_content(".error")


def test_relations_lead_to_their_mentions(page: Any) -> None:
    with page.expect_response("**/v1/relations") as asked:
        annotate(page, TEXTS[0])
    (document,) = asked.value.json()["documents"]
    page.wait_for_selector("#relation-list .end")
    assert page.locator("#relation-list li").count() == len(document["relations"])
    assert "; relations, version" in page.text_content("#signature")
    first = page.locator("#relation-list .end").first
    words = first.text_content()
    first.click()
    assert page.evaluate("document.activeElement.textContent") == words
    page.fill("#relation-score", "100")
    page.wait_for_selector("#relation-list .note")
    page.select_option("#relations-model", "")
    annotate(page)
    assert page.is_hidden("#relations")


def test_identifiers_are_hidden_first(page: Any) -> None:
    page.check("#deidentify")
    annotate(page, "Mrs. Sullivan, seen on 3/14/2024, takes warfarin.")
    shown = page.text_content("#results")
    assert "Sullivan" not in shown and "warfarin" in shown


def test_what_hangs_is_cancelled(page: Any) -> None:
    page.route("**/v1/annotate*", lambda route: None)
    page.fill("#text", "Aspirin helps.")
    page.click("#annotate")
    page.wait_for_selector("body.busy")
    assert page.text_content("#status") == "Annotating …"
    page.click("#cancel")
    page.wait_for_selector("body:not(.busy)")
    assert page.text_content("#status") == "Cancelled."
    page.unroute_all(behavior="ignoreErrors")
    annotate(page)
    assert "Aspirin" in page.evaluate(SHOWN)


def test_a_service_that_is_gone_is_said_to_be(page: Any) -> None:
    page.route("**/v1/annotate*", lambda route: route.abort())
    page.fill("#text", "Aspirin helps.")
    page.click("#annotate")
    page.wait_for_selector(".error")
    assert "cannot be reached" in page.text_content(".error")
    page.fill("#text", " ")
    page.click("#annotate")
    until(page, "document.querySelector('.error').textContent.includes('no text yet')")


def test_a_key_is_asked_for_and_kept_nowhere(chromium: Any, tmp_path: Path) -> None:
    _, key = create_key(tmp_path / "keys.json", "reader")
    security = {"keys": tmp_path / "keys.json"}
    with address_of(security=security) as address, opened(chromium, address) as page:
        assert page.is_visible("#key") and page.is_hidden("#errors")
        for wrong in ("x" * len(key), "schlüssel"):
            page.fill("#key", wrong)
            page.click("#key-form button")
            page.wait_for_selector("#key[aria-invalid=true]")
        page.fill("#key", "x" * len(key))
        page.keyboard.press("Enter")
        until(page, "document.querySelector('.error')?.textContent.includes('401')")
        assert "request " in page.text_content(".error")
        page.fill("#key", key)
        page.keyboard.press("Enter")
        until(page, "document.querySelector('#about').textContent.includes('Disease')")
        assert page.locator(".error").count() == 0
        annotate(page, "Aspirin helps.")
        assert "Aspirin" in page.evaluate(SHOWN)
        places = "{...localStorage}, {...sessionStorage}, document.cookie, location.href"
        assert key not in page.evaluate(f"JSON.stringify([{places}])") and key not in page.content()
        page.reload()
        page.wait_for_selector("#key:visible")
        assert page.input_value("#key") == ""
