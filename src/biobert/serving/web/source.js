// What is to be annotated: the text in the field, or the file that was chosen or dropped.

import { byId } from "./elements.js";
import { formatOf, HEAD_BYTES, READ, sizeOf } from "./formats.js";
import { ServiceError } from "./service.js";

export const AUTO = "auto";

let file = null;

/** Take a file in the place of the text. */
export async function chooseFile(chosen) {
  if (!chosen) return;
  file = { chosen, head: await new Blob([chosen.slice(0, HEAD_BYTES)]).text() };
  byId("file-name").textContent = chosen.name;
  byId("file-size").textContent = sizeOf(chosen.size);
  showSource();
  byId("annotate").focus();
}

/** Go back to the text. */
export function removeFile() {
  file = null;
  byId("file").value = "";
  showSource();
}

function showSource() {
  byId("file-card").hidden = file === null;
  byId("text").hidden = file !== null;
  showFormat();
}

/** Say in the list of formats which one is recognised. */
export function showFormat() {
  const format = recognised();
  const isEmpty = file === null && !byId("text").value.trim();
  const name = isEmpty ? "recognised" : `recognised: ${format ? READ[format].name : "packed"}`;
  byId("format").options[0].textContent = name;
}

function recognised() {
  return file === null
    ? formatOf(byId("text").value.slice(0, HEAD_BYTES))
    : formatOf(file.head, file.chosen.name);
}

/** The bytes, their format and the name of the file; an error where there is nothing to send. */
export function sourceOf() {
  const chosen = byId("format").value;
  const format = chosen === AUTO ? recognised() : chosen;
  if (format === null) throw new ServiceError("This file is packed; unpack it first.");
  if (file !== null) return { body: file.chosen, format, name: file.chosen.name };
  const text = byId("text").value;
  if (!text.trim()) throw new ServiceError("There is no text yet: paste one, or choose a file.");
  return { body: new Blob([text]), format, name: "" };
}
