"""The page for everybody, in a browser: keys alone, any screen, and whoever means harm."""

from pathlib import Path
from typing import Any

import pytest

from biobert.serving.keys import create_key
from tests.serving.browser import (
    HOSTILE,
    SHOWN,
    address_of,
    annotate,
    document_of,
    opened,
    until,
    upload,
)
from tests.serving.texts import TEXTS

HUES = (8, 205, 130, 275, 38, 330, 175, 60, 240, 95, 300, 20, 150)
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


def is_wider_than_the_window(page: Any) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth > innerWidth"))


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
