// The page: what is asked, what came back, and what of it is shown.

import { coloursOf } from "./colours.js";
import { byId, counted, element, fillSelect, percent } from "./elements.js";
import { EXAMPLE } from "./example.js";
import { READ, WRITTEN } from "./formats.js";
import { showCounts, showError, showMentions, showRelations, showTypes } from "./lists.js";
import { Reading } from "./reading.js";
import { Service, ServiceError } from "./service.js";
import { AUTO, chooseFile, removeFile, showFormat, sourceOf } from "./source.js";
import { filtered, viewOf } from "./text.js";

const service = new Service();
const reading = new Reading(byId("reading"), byId("card"));
const hidden = new Set();
let running = null;
let answer = null;
let view = null;
let paint = null;
let drawing = 0;

// --- what is asked ---

/** Which models answer here; whether a key is needed is known from that. */
async function meet() {
  try {
    offerModels(await service.models());
    byId("key").removeAttribute("aria-invalid");
    byId("errors").replaceChildren();
    return true;
  } catch (problem) {
    if (problem.status !== 401) {
      showError(byId("errors"), problem, "The models are not known");
      return false;
    }
    byId("key-form").hidden = false;
    if (service.key) refuseKey(problem);
    return false;
  }
}

function offerModels(models) {
  const taggers = models.filter(({ tasks }) => tasks.ner);
  const relaters = models.filter(({ tasks }) => tasks.relations);
  const named = ({ name }) => [name, name];
  fillSelect(byId("model"), taggers.map(named));
  fillSelect(byId("relations-model"), [...relaters.map(named), ["", "none"]]);
  byId("model-field").hidden = taggers.length < 2;
  byId("relations-field").hidden = !relaters.length;
  const labels = [...new Set(taggers.flatMap(({ tasks }) => tasks.ner))];
  if (labels.length) byId("about").textContent = `Finds ${labels.join(", ")} in biomedical text`;
  else if (!taggers.length) say("No model that finds entities is loaded here.");
}

function refuseKey(problem) {
  byId("key").setAttribute("aria-invalid", "true");
  byId("key").focus();
  showError(byId("errors"), problem, "The key is not known here");
}

async function useKey(event) {
  event.preventDefault();
  const key = byId("key").value.trim();
  if (!/^[\x21-\x7e]+$/.test(key)) {
    refuseKey(new ServiceError("A key has Latin letters, digits and signs, without blanks."));
    return;
  }
  service.key = key;
  if (await meet()) say("The key is good.");
}

// --- asking ---

async function annotate() {
  if (running) return;
  byId("errors").replaceChildren();
  running = new AbortController();
  const ticking = busy();
  try {
    const source = sourceOf();
    const found = await ask(source, running.signal);
    take(found, source);
  } catch (problem) {
    fail(problem);
  } finally {
    clearInterval(ticking);
    running = null;
    idle();
  }
}

async function ask(source, signal) {
  const options = { model: byId("model").value, deidentify: byId("deidentify").checked };
  const found = await service.annotate(source, options, signal);
  const relater = byId("relations-model").value;
  if (!relater) return found;
  try {
    const related = await service.relate(found.documents, relater, signal);
    return { ...found, ...related, hasRelations: true };
  } catch (problem) {
    if (!(problem instanceof ServiceError)) throw problem;
    return { ...found, withoutRelations: problem };
  }
}

function busy() {
  const began = performance.now();
  document.body.classList.add("busy");
  byId("results").setAttribute("aria-busy", "true");
  byId("annotate").setAttribute("aria-disabled", "true");
  byId("cancel").classList.remove("idle");
  say("Annotating …");
  // Not through the live region: nobody wants to hear the seconds.
  return setInterval(() => {
    byId("cancel").textContent = `Cancel (${Math.floor((performance.now() - began) / 1000)} s)`;
  }, 1000);
}

function idle() {
  document.body.classList.remove("busy");
  byId("results").removeAttribute("aria-busy");
  byId("annotate").removeAttribute("aria-disabled");
  if (document.activeElement === byId("cancel")) byId("annotate").focus();
  byId("cancel").classList.add("idle");
  byId("cancel").textContent = "Cancel";
}

function fail(problem) {
  if (problem.name === "AbortError") {
    say("Cancelled.");
    return;
  }
  say("");
  if (problem.status === 401) {
    byId("key-form").hidden = false;
    refuseKey(problem);
  } else if (problem instanceof ServiceError) {
    showError(byId("errors"), problem, "That did not work");
  } else {
    showError(byId("errors"), problem, "A defect of this page");
    throw problem;
  }
}

// --- what came back ---

function take(found, source) {
  answer = { ...found, stem: source.name.replace(/\.[^.]*$/, "") || "annotated" };
  const labels = answer.documents.flatMap((one) => (one.entities ?? []).map((entity) => entity.label));
  paint = coloursOf(labels);
  hidden.clear();
  for (const name of ["score", "relation-score"]) {
    byId(name).value = 0;
    byId(`${name}-value`).textContent = "0 %";
  }
  showTypes(byId("types"), byFrequency(labels), paint, { hidden, toggle });
  fillSelect(byId("document"), answer.documents.map((one, place) => [place, titleOf(one, place)]));
  byId("chooser").hidden = answer.documents.length < 2;
  byId("relations").hidden = !found.hasRelations && !answer.documents.some((one) => one.relations?.length);
  const models = [answer.model, answer.relationsModel].filter(Boolean);
  byId("signature").textContent = `Answered by ${models.map(signed).join("; ")}`;
  byId("results").hidden = byId("skip-results").hidden = false;
  showDocument(0);
  say(`${counted(labels.length, "mention")} in ${counted(answer.documents.length, "document")}.`);
  if (answer.withoutRelations) {
    showError(byId("errors"), answer.withoutRelations, "Entities were found, relations were not");
  }
  // Whoever types on is left alone.
  if (document.activeElement !== byId("text") || !byId("text").value) byId("results-title").focus();
}

function signed({ name, version, digest }) {
  return `${name}, version ${version}, files ${digest}`;
}

function titleOf({ id, text, entities = [] }, place) {
  const begin = text.trimStart().slice(0, 60).split(/[\r\n]/)[0];
  return `${place + 1}. ${id}: ${begin} (${entities.length})`;
}

function byFrequency(labels) {
  const counts = new Map();
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  return [...counts.keys()].sort((one, other) => counts.get(other) - counts.get(one));
}

function showDocument(place) {
  view = viewOf(answer.documents[place]);
  byId("document").value = place;
  byId("previous").disabled = place === 0;
  byId("next").disabled = place === answer.documents.length - 1;
  reading.show(view, paint);
  if (view.labels.length) {
    byId("reading").prepend(element("p", { class: "note", text: `Labels: ${view.labels.join(", ")}` }));
  }
  showFiltered();
}

function step(by) {
  const button = document.activeElement;
  showDocument(Number(byId("document").value) + by);
  if (button.disabled) byId("document").focus();
}

// --- what is shown ---

function least(name) {
  return Number(byId(name).value) / 100;
}

function isSure(score, name) {
  return score === null || score >= least(name);
}

function isShown(label, score) {
  return !hidden.has(label) && isSure(score, "score");
}

function toggle(label) {
  if (hidden.has(label)) hidden.delete(label);
  else hidden.add(label);
  showFiltered();
  announce();
}

function showFiltered() {
  const shown = view.mentions.filter((one) => isShown(one.label, one.score));
  const numbers = new Set(shown.map((one) => one.number));
  reading.filter(numbers);
  const counts = new Map();
  for (const { label, score } of view.mentions) {
    if (isSure(score, "score")) counts.set(label, (counts.get(label) ?? 0) + 1);
  }
  showCounts(byId("types"), counts);
  const goTo = (number) => reading.goTo(number);
  showMentions(byId("mention-list"), shown, paint, goTo);
  const relations = view.relations.filter(
    ({ score, ends }) =>
      isSure(score, "relation-score") && ends.every(({ mention }) => mention === null || numbers.has(mention)),
  );
  showRelations(byId("relation-list"), relations, { goTo, point: (some) => reading.point(some) });
}

function announce() {
  const shown = view.mentions.filter((one) => isShown(one.label, one.score)).length;
  say(`${shown} of ${counted(view.mentions.length, "mention")} shown.`);
}

function slide(name) {
  byId(`${name}-value`).textContent = percent(least(name));
  // A slider moves more often than a long text is drawn.
  cancelAnimationFrame(drawing);
  drawing = requestAnimationFrame(showFiltered);
}

async function download() {
  const format = byId("download-format").value;
  const isRelationShown = (score) => isSure(score, "relation-score");
  // What is downloaded stays what it was, whatever happens to the page meanwhile.
  const { model, relationsModel: relations_model, stem } = answer;
  const documents = answer.documents.map((one) => filtered(one, isShown, isRelationShown, hidden));
  const button = byId("download");
  button.setAttribute("aria-disabled", "true");
  byId("errors").replaceChildren();
  try {
    save(await written({ model, relations_model, documents }, format), `${stem}${WRITTEN[format].ending}`);
  } catch (problem) {
    fail(problem);
  } finally {
    button.removeAttribute("aria-disabled");
  }
}

async function written(found, format) {
  if (format !== "json") return service.convert(found.documents, format);
  const text = JSON.stringify(found, null, 1);
  return new Blob([text], { type: WRITTEN.json.type });
}

function save(blob, name) {
  const address = URL.createObjectURL(blob);
  element("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

function say(text) {
  byId("status").textContent = text;
}

/** Nothing of the text stays on the page. */
function clear() {
  running?.abort();
  cancelAnimationFrame(drawing);
  byId("text").value = "";
  byId("format").value = AUTO;
  answer = view = null;
  byId("results").hidden = byId("skip-results").hidden = true;
  reading.clear();
  for (const name of ["mention-list", "relation-list", "types", "document", "errors"]) {
    byId(name).replaceChildren();
  }
  removeFile();
  say("");
  byId("text").focus();
}

// --- what people do ---

function onDrop(event) {
  document.body.classList.remove("dragging");
  const [dropped, ...others] = event.dataTransfer.files;
  if (!dropped) return;
  event.preventDefault();
  chooseFile(dropped);
  if (others.length) say(`One file at a time: ${dropped.name} is taken, ${others.length} more are not.`);
}

function onDrag(event) {
  if (!event.dataTransfer.types.includes("Files")) return;
  event.preventDefault();
  document.body.classList.add("dragging");
}

function listen() {
  byId("key-form").addEventListener("submit", useKey);
  byId("input").addEventListener("submit", (event) => {
    event.preventDefault();
    annotate();
  });
  byId("cancel").addEventListener("click", () => running?.abort());
  byId("clear").addEventListener("click", clear);
  byId("example").addEventListener("click", () => {
    removeFile();
    byId("format").value = AUTO;
    byId("text").value = EXAMPLE;
    showFormat();
    annotate();
  });
  byId("text").addEventListener("input", showFormat);
  byId("text").addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) annotate();
  });
  byId("file").addEventListener("change", () => chooseFile(byId("file").files[0]));
  byId("file-remove").addEventListener("click", () => {
    removeFile();
    byId("text").focus();
  });
  for (const name of ["score", "relation-score"]) {
    byId(name).addEventListener("input", () => slide(name));
    byId(name).addEventListener("change", announce);
  }
  byId("document").addEventListener("change", () => showDocument(Number(byId("document").value)));
  byId("previous").addEventListener("click", () => step(-1));
  byId("next").addEventListener("click", () => step(1));
  byId("download").addEventListener("click", download);
  document.addEventListener("dragover", onDrag);
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) document.body.classList.remove("dragging");
  });
  document.addEventListener("drop", onDrop);
}

fillSelect(byId("format"), [[AUTO, "recognised"], ...Object.entries(READ).map(([value, { name }]) => [value, name])]);
fillSelect(byId("download-format"), Object.entries(WRITTEN).map(([value, { name }]) => [value, name]));
listen();
showFormat();
// Shown when it is known which fields there are: nothing jumps.
meet().finally(() => document.body.classList.remove("waiting"));
