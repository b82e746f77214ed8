// Lists beside the text: types with their counts, mentions, relations, and what went wrong.

import { element, percent } from "./elements.js";

const AT_ONCE = 200;

/** A button for each type; pressed ones are shown. */
export function showTypes(place, labels, paint, { hidden, toggle }) {
  place.replaceChildren(
    ...labels.map((label) => {
      const button = element(
        "button",
        { type: "button", class: "type", "aria-pressed": String(!hidden.has(label)), "data-label": label },
        element("span", { class: "type-name", text: label }),
        element("span", { class: "count", text: "0" }),
      );
      button.addEventListener("click", () => {
        toggle(label);
        button.setAttribute("aria-pressed", String(!hidden.has(label)));
      });
      return paint(button, label);
    }),
  );
}

/** How many mentions of each type are sure enough. */
export function showCounts(place, counts) {
  for (const button of place.children) {
    button.querySelector(".count").textContent = counts.get(button.dataset.label) ?? 0;
  }
}

/** Mentions with the same words and type in one row, the most frequent first. */
export function showMentions(place, mentions, paint, goTo) {
  const groups = new Map();
  for (const mention of mentions) {
    const name = JSON.stringify([mention.label, mention.text.toLowerCase()]);
    if (!groups.has(name)) groups.set(name, []);
    groups.get(name).push(mention);
  }
  const sorted = [...groups.values()].sort((one, other) => other.length - one.length);
  inParts(place, sorted, (group) => mentionRow(group, paint, goTo), "No mentions to show.");
}

function mentionRow(group, paint, goTo) {
  const [first] = group;
  const best = group.reduce((most, { score }) => (score !== null && score > most ? score : most), -1);
  let next = 0;
  const button = element(
    "button",
    {
      type: "button",
      onclick: () => {
        goTo(group[next].number);
        next = (next + 1) % group.length;
      },
    },
    element("span", { class: "words", text: first.text }),
    element("span", { class: "figures", text: group.length > 1 ? `${group.length} ×` : "" }),
    element("span", { class: "figures", text: best < 0 ? "" : percent(best) }),
    element("span", { class: "dot-name", text: first.label }),
  );
  return element("li", {}, paint(button, first.label));
}

/** Relations with their ends, which lead to the mentions, and their evidence. */
export function showRelations(place, relations, { goTo, point }) {
  inParts(place, relations, (one) => relationRow(one, goTo, point), "No relations to show.");
}

function relationRow({ label, score, ends, evidence }, goTo, point) {
  const numbers = ends.map((one) => one.mention).filter((one) => one !== null);
  const row = element(
    "li",
    { onpointerenter: () => point(numbers), onpointerleave: () => point([]) },
    ...ends.flatMap((end, place) => [
      ...(place ? [element("span", { class: "arrow", "aria-hidden": "true", text: "→" })] : []),
      endOf(end, goTo),
    ]),
    element("b", { class: "relation-label", text: label }),
    element("span", { class: "figures", text: percent(score) }),
    ...evidence.map((text) => element("q", { text })),
  );
  return row;
}

function endOf({ text, role, mention }, goTo) {
  if (mention === null) return element("span", { text });
  return element("button", { type: "button", class: "end", title: role, text, onclick: () => goTo(mention) });
}

/** The first rows of a list, and a button that brings more of them. */
function inParts(place, items, row, none) {
  const more = (begin) => {
    place.querySelector(".more")?.remove();
    place.append(...items.slice(begin, begin + AT_ONCE).map(row));
    const left = items.length - begin - AT_ONCE;
    if (left <= 0) return;
    const text = `Show ${Math.min(AT_ONCE, left)} more of ${left.toLocaleString("en")}`;
    const onclick = () => {
      more(begin + AT_ONCE);
      place.children[begin + AT_ONCE].querySelector("button")?.focus();
    };
    place.append(element("li", { class: "more" }, element("button", { type: "button", text, onclick })));
  };
  place.replaceChildren();
  if (items.length) more(0);
  else place.append(element("li", { class: "note", text: none }));
}

/** An error of the service: what to do, the places it names, and how to speak of it. */
export function showError(place, problem, what) {
  const details = (problem.details ?? []).map(({ place: where, reason }) =>
    element("li", {}, element("b", { text: where }), ` ${reason}`),
  );
  const facts = [
    problem.status && `HTTP ${problem.status}`,
    problem.code,
    problem.retryAfter && `ask again in ${problem.retryAfter} s`,
    problem.requestId && `request ${problem.requestId}`,
  ].filter(Boolean);
  place.replaceChildren(
    element(
      "div",
      { class: "error" },
      element("b", { text: what }),
      element("p", { text: problem.message }),
      ...(details.length ? [element("ul", {}, ...details)] : []),
      element("p", { class: "note", text: facts.join(" · ") }),
    ),
  );
}
