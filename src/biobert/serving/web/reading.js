// The annotated text: marks, a card that tells of the mention under pointer or focus, and the keys.

import { element, percent } from "./elements.js";
import { spansByBlock, treeOf } from "./text.js";

const LINGER_MILLISECONDS = 200;
const TAGS = { title: "h3", heading: "h4" };

export class Reading {
  #article;
  #card;
  #paint = (made) => made;
  #view = null;
  #pieces = [];
  #shown = [];
  #lingering = 0;

  constructor(article, card) {
    this.#article = article;
    this.#card = card;
    article.addEventListener("pointerover", (event) => this.#tellAt(event));
    article.addEventListener("pointerout", () => this.#hideSoon());
    article.addEventListener("focusin", (event) => this.#focused(event.target));
    article.addEventListener("focusout", () => this.#hideSoon());
    article.addEventListener("keydown", (event) => this.#key(event));
    card.addEventListener("pointerenter", () => clearTimeout(this.#lingering));
    card.addEventListener("pointerleave", () => this.#hideSoon());
    document.addEventListener("keydown", (event) => event.key === "Escape" && this.#hide());
    window.addEventListener("resize", () => this.#hide());
  }

  /** Show a document in the colours that `paint` gives. */
  show(view, paint) {
    this.#hide();
    this.#view = view;
    this.#paint = paint;
    this.#pieces = view.mentions.map(() => []);
    const spans = spansByBlock(view);
    this.#article.replaceChildren(...view.blocks.map((block, place) => this.#block(block, spans[place])));
  }

  /** Forget the document. */
  clear() {
    this.#hide();
    this.#view = null;
    this.#pieces = [];
    this.#shown = [];
    this.#card.replaceChildren();
    this.#article.replaceChildren();
  }

  /** Mark only the mentions whose numbers are in `shown`. */
  filter(shown) {
    this.#hide();
    this.#shown = [...shown].sort((one, other) => one - other);
    for (const { number } of this.#view.mentions) {
      const isShown = shown.has(number);
      for (const piece of this.#pieces[number]) piece.classList.toggle("off", !isShown);
      this.#describe(number, isShown);
    }
    if (this.#shown.length) this.#reachable(this.#shown[0]);
  }

  /** Go to a mention. */
  goTo(number) {
    const [handle] = this.#pieces[number];
    this.#reachable(number);
    handle.focus({ preventScroll: true });
    const isCalm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    handle.scrollIntoView({ block: "center", behavior: isCalm ? "auto" : "smooth" });
  }

  /** Point out some mentions, or none. */
  point(numbers) {
    for (const piece of this.#article.querySelectorAll(".pointed")) piece.classList.remove("pointed");
    for (const number of numbers) {
      for (const piece of this.#pieces[number] ?? []) piece.classList.add("pointed");
    }
  }

  #block({ start, end, kind, heading, page }, spans) {
    const made = element(TAGS[kind] ?? "p", { title: page ? `page ${page}` : null });
    if (heading) made.append(element("b", { class: "heading", text: heading }), " ");
    this.#grow(made, treeOf(this.#view.text, spans, start, end));
    return made;
  }

  /** Puts branches into an element; the number of marks that lie over each other in it. */
  #grow(parent, branches) {
    let deepest = 0;
    for (const branch of branches) {
      if (typeof branch === "string") {
        parent.append(branch);
        continue;
      }
      const { number } = branch.span;
      const mention = this.#view.mentions[number];
      const mark = this.#paint(element("mark", { "data-number": number }), mention.label);
      if (branch.begins) mark.classList.add("begins");
      if (branch.ends) mark.classList.add("ends");
      if (branch.ends && branch.span === mention.spans.at(-1)) mark.dataset.label = mention.label;
      this.#pieces[number].push(mark);
      const below = this.#grow(mark, branch.inside);
      // Lines under marks that hold others lie lower, so that each is seen.
      mark.style.setProperty("--below", below);
      parent.append(mark);
      deepest = Math.max(deepest, below + 1);
    }
    return deepest;
  }

  /** What the first piece of a mention says to who does not see its colour. */
  #describe(number, isShown) {
    const [handle] = this.#pieces[number];
    const { text, label, score } = this.#view.mentions[number];
    const said = {
      tabindex: "-1",
      role: "group",
      "aria-roledescription": "mention",
      "aria-label": [text, label, percent(score)].filter(Boolean).join(", "),
    };
    for (const [name, value] of Object.entries(said)) {
      if (isShown) handle.setAttribute(name, value);
      else handle.removeAttribute(name);
    }
  }

  #reachable(number) {
    this.#article.querySelector('mark[tabindex="0"]')?.setAttribute("tabindex", "-1");
    this.#pieces[number][0].setAttribute("tabindex", "0");
  }

  #key(event) {
    if (event.ctrlKey || event.altKey || event.metaKey || event.target.tagName !== "MARK") return;
    const place = this.#shown.indexOf(Number(event.target.dataset.number));
    const last = this.#shown.length - 1;
    const wanted = { ArrowRight: place + 1, ArrowLeft: place - 1, Home: 0, End: last }[event.key];
    if (wanted === undefined) return;
    event.preventDefault();
    if (this.#shown[wanted] !== undefined) this.goTo(this.#shown[wanted]);
  }

  #focused(target) {
    if (target.tagName !== "MARK") return;
    const number = Number(target.dataset.number);
    this.#reachable(number);
    this.#tell([number], target.getClientRects()[0]);
  }

  #tellAt(event) {
    const numbers = [];
    for (let mark = event.target.closest("mark"); mark; mark = mark.parentElement.closest("mark")) {
      if (!mark.classList.contains("off")) numbers.push(Number(mark.dataset.number));
    }
    if (!numbers.length) return;
    const rows = [...event.target.closest("mark").getClientRects()];
    const under = rows.find((one) => event.clientY <= one.bottom + 2) ?? rows[0];
    this.#tell(numbers, under);
  }

  #tell(numbers, place) {
    clearTimeout(this.#lingering);
    this.point(numbers);
    this.#card.replaceChildren(...numbers.map((number) => this.#facts(this.#view.mentions[number])));
    this.#card.hidden = false;
    const widest = document.documentElement.clientWidth - this.#card.offsetWidth - 8;
    this.#card.style.setProperty("left", `${Math.max(8, Math.min(place.left, widest)) + scrollX}px`);
    this.#card.style.setProperty("top", `${place.bottom + 8 + scrollY}px`);
  }

  #facts({ text, label, score, concepts }) {
    const name = this.#paint(element("span", { class: "dot-name", text: label }), label);
    return element(
      "div",
      { class: "facts" },
      element("b", { text }),
      element("span", { class: "kind" }, name, element("span", { text: percent(score) })),
      ...concepts.map((one) => element("code", { text: one })),
    );
  }

  #hideSoon() {
    clearTimeout(this.#lingering);
    this.#lingering = setTimeout(() => {
      const focused = document.activeElement;
      if (this.#article.contains(focused)) this.#focused(focused);
      else this.#hide();
    }, LINGER_MILLISECONDS);
  }

  #hide() {
    clearTimeout(this.#lingering);
    this.#card.hidden = true;
    this.point([]);
  }
}
