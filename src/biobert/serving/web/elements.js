// Elements without markup: all text goes through textContent.

/** The element of the page with this id. */
export function byId(id) {
  return document.getElementById(id);
}

/** A new element. `attributes` named `text`, `class` and `on...` are what they say. */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "text") made.textContent = value;
    else if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children);
  return made;
}

/** Options of a select; `options` are pairs of value and name. */
export function fillSelect(select, options) {
  select.replaceChildren(...options.map(([value, name]) => element("option", { value, text: name })));
}

/** `0.987` is `99 %`, and only 1 is `100 %`; nothing where there is no score. */
export function percent(score) {
  if (score === null) return "";
  const value = 100 * score;
  return `${value > 99.5 && value < 100 ? Math.min(99.9, value).toFixed(1) : Math.round(value)} %`;
}

/** `1 mention`, `2 mentions`. */
export function counted(number, word) {
  return `${number.toLocaleString("en")} ${word}${number === 1 ? "" : "s"}`;
}
