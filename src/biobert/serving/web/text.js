// Documents as they are shown: offsets in JavaScript's units, blocks of text, and what lies in them.

const LONGEST_TITLE = 250;
const SHOWN_AS_TITLE = new Set(["title", "heading"]);

/** A function from an offset in code points, as the service counts, to one in UTF-16 units. */
export function unitsOf(text) {
  if (!/[\ud800-\udfff]/.test(text)) return (point) => point;
  const places = new Uint32Array(text.length + 1);
  let point = 0;
  for (let unit = 0; unit < text.length; point += 1) {
    places[point] = unit;
    unit += text.codePointAt(unit) > 0xffff ? 2 : 1;
  }
  places[point] = text.length;
  return (asked) => places[asked];
}

/** What the page shows of a document. */
export function viewOf(document) {
  const { text } = document;
  const at = unitsOf(text);
  const inUnits = (one) => ({ ...one, start: at(one.start), end: at(one.end) });
  const mentions = (document.entities ?? []).map((entity, number) => mentionOf(entity, number, text, inUnits));
  const named = new Map(mentions.map((one) => [one.id, one]));
  const passages = (document.passages ?? []).map(inUnits);
  return {
    id: document.id,
    text,
    mentions,
    labels: document.labels ?? [],
    blocks: passages.length ? blocksOfPassages(text, passages) : blocksOfLines(text),
    relations: (document.relations ?? []).map((one) => relationOf(one, text, { mentions, named }, inUnits)),
  };
}

function mentionOf(entity, number, text, inUnits) {
  const pieces = (entity.fragments?.length ? entity.fragments : [entity]).map(inUnits);
  return {
    number,
    label: entity.label,
    score: entity.score ?? null,
    concepts: entity.concept_ids ?? [],
    id: entity.id ?? null,
    spans: pieces.map(({ start, end }) => ({ start, end, number })),
    text: pieces.map(({ start, end }) => text.slice(start, end)).join(" ").replace(/\s+/g, " "),
  };
}

function relationOf(relation, text, { mentions, named }, inUnits) {
  const ends = relation.arguments.map(({ role, target, kind }) => {
    const concepts = target.split("|");
    const mention =
      kind === "concept"
        ? mentions.find((one) => one.concepts.some((id) => concepts.includes(id)))
        : named.get(target);
    return { role, mention: mention?.number ?? null, text: mention?.text ?? target };
  });
  const evidence = (relation.evidence ?? []).map(inUnits).map(({ start, end }) => text.slice(start, end));
  return { label: relation.label, score: relation.score ?? null, ends, evidence };
}

/** Passages in order, and what lies between them: nothing of a text is left out. */
function blocksOfPassages(text, passages) {
  const blocks = [];
  let position = 0;
  let heading = "";
  for (const passage of [...passages].sort((one, other) => one.start - other.start)) {
    const start = Math.max(position, passage.start);
    if (text.slice(position, start).trim()) blocks.push({ start: position, end: start, kind: "text", heading: "" });
    if (passage.end <= start) continue;
    const isNew = passage.heading && passage.heading !== heading && !SHOWN_AS_TITLE.has(passage.kind);
    heading = passage.heading ?? "";
    blocks.push({ start, end: passage.end, kind: passage.kind, heading: isNew ? heading : "", page: passage.metadata?.page });
    position = passage.end;
  }
  if (text.slice(position).trim()) blocks.push({ start: position, end: text.length, kind: "text", heading: "" });
  return blocks;
}

/** Lines; the first of several is a title if it is short. */
function blocksOfLines(text) {
  const blocks = [];
  for (const { 0: line, index } of text.matchAll(/[^\r\n]+/g)) {
    if (line.trim()) blocks.push({ start: index, end: index + line.length, kind: "text", heading: "" });
  }
  const [first] = blocks;
  if (blocks.length > 1 && first.end - first.start <= LONGEST_TITLE) first.kind = "title";
  return blocks;
}

/**
 * A stretch of text as a tree: strings, and `{span, begins, ends, inside}` for mentions.
 *
 * One that begins inside another and ends outside of it is parted where the other ends, so that
 * every mention is marked over its whole length.
 */
export function treeOf(text, spans, start, end) {
  const queue = spans
    .filter((one) => one.start < end && one.end > start)
    .map((span) => ({ span, start: Math.max(span.start, start), end: Math.min(span.end, end) }))
    .sort(byPlace);
  return branches(text, queue, start, end);
}

function branches(text, queue, start, end) {
  const found = [];
  let position = start;
  for (let place = 0; place < queue.length; ) {
    const piece = queue[place];
    place += 1;
    if (piece.start > position) found.push(text.slice(position, piece.start));
    const inside = [];
    const beyond = [];
    for (; place < queue.length && queue[place].start < piece.end; place += 1) {
      const other = queue[place];
      inside.push({ ...other, end: Math.min(other.end, piece.end) });
      if (other.end > piece.end) beyond.push({ ...other, start: piece.end });
    }
    if (beyond.length) queue.splice(place, 0, ...beyond.sort(byPlace));
    found.push({
      span: piece.span,
      begins: piece.start === piece.span.start,
      ends: piece.end === piece.span.end,
      inside: branches(text, inside, piece.start, piece.end),
    });
    position = piece.end;
  }
  if (position < end) found.push(text.slice(position, end));
  return found;
}

function byPlace(one, other) {
  return one.start - other.start || other.end - one.end || one.span.number - other.span.number;
}

/** The spans of a view that may touch each block, without looking at all of them for each. */
export function spansByBlock(view) {
  const spans = view.mentions.flatMap((one) => one.spans).sort((one, other) => one.start - other.start);
  const open = [];
  let next = 0;
  return view.blocks.map((block) => {
    while (next < spans.length && spans[next].start < block.end) {
      open.push(spans[next]);
      next += 1;
    }
    const touching = open.filter((one) => one.end > block.start);
    open.splice(0, open.length, ...touching.filter((one) => one.end > block.end));
    return touching;
  });
}

/** The document with the entities that are shown, and the relations between them. */
export function filtered(document, isShown, isRelationShown, hiddenLabels) {
  const kept = { ...document };
  if (document.entities) kept.entities = document.entities.filter((one) => isShown(one.label, one.score ?? null));
  const ids = new Set((kept.entities ?? []).map((one) => one.id));
  if (document.relations) {
    kept.relations = document.relations.filter(
      (one) =>
        isRelationShown(one.score ?? null) &&
        one.arguments.every(({ kind, target }) => kind === "concept" || ids.has(target)),
    );
  }
  // Of a type that is hidden the file does not say that there is none.
  if (document.annotated_labels) {
    kept.annotated_labels = document.annotated_labels.filter((one) => !hiddenLabels.has(one));
  }
  return kept;
}
