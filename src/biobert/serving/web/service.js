// Asking the service. The key lives in this object and nowhere else.

import { READ, WRITTEN } from "./formats.js";

const LONGEST_KIND = 100;

/** An answer that says no, or none at all. */
export class ServiceError extends Error {
  constructor(message, { status = 0, code = "", requestId = "", details = [], retryAfter = "" } = {}) {
    super(message);
    Object.assign(this, { status, code, requestId, details, retryAfter });
  }
}

export class Service {
  key = "";

  /** The models that are loaded. */
  async models() {
    return (await (await this.#ask("v1/models", { method: "GET" })).json()).models;
  }

  /** The model and the documents of a source: `{body, format}`. */
  async annotate(source, { model, deidentify }, signal) {
    const query = new URLSearchParams();
    if (model) query.set("model", model);
    if (deidentify) query.set("deidentify", "true");
    const headers = { "Content-Type": READ[source.format].type, Accept: "application/json" };
    const answer = await this.#ask(`v1/annotate?${query}`, { headers, body: source.body, signal });
    return answer.json();
  }

  /** The same documents with relations between their entities, and the model that found them. */
  async relate(documents, model, signal) {
    const named = documents.map(withIds);
    const worth = named.filter((one) => one.entities.length > 1);
    if (!worth.length) return { documents: named };
    const body = JSON.stringify({ documents: worth.map(asGiven), model });
    const answer = await this.#ask("v1/relations", { headers: JSON_BODY, body, signal });
    const { model: relationsModel, documents: related } = await answer.json();
    const found = new Map(worth.map((one, place) => [one, related[place].relations]));
    return {
      documents: named.map((one) => ({ ...one, relations: found.get(one) ?? one.relations })),
      relationsModel,
    };
  }

  /** Documents as a file in a format. */
  async convert(documents, format) {
    const headers = { ...JSON_BODY, Accept: WRITTEN[format].type };
    const answer = await this.#ask("v1/convert", { headers, body: JSON.stringify({ documents }) });
    return answer.blob();
  }

  async #ask(path, { method = "POST", headers = {}, body, signal }) {
    let answer;
    try {
      answer = await fetch(path, {
        method,
        body,
        signal,
        headers: this.key ? { ...headers, Authorization: `Bearer ${this.key}` } : headers,
        cache: "no-store",
        credentials: "omit",
        redirect: "error",
        referrerPolicy: "no-referrer",
      });
    } catch (problem) {
      if (problem.name === "AbortError") throw problem;
      throw new ServiceError(
        "The service cannot be reached, or it broke off. Is it running, and is the file perhaps too large for it?",
      );
    }
    if (!answer.ok) throw await refusalOf(answer);
    return answer;
  }
}

const JSON_BODY = { "Content-Type": "application/json" };

async function refusalOf(answer) {
  const said = await answer.json().then(({ error }) => error, () => null);
  return new ServiceError(said?.message ?? `HTTP ${answer.status}, without a reason`, {
    status: answer.status,
    code: said?.code,
    requestId: said?.request_id ?? answer.headers.get("X-Request-ID") ?? "",
    details: said?.details,
    retryAfter: answer.headers.get("Retry-After") ?? "",
  });
}

/** Each entity with an id, so that a relation can name it. */
function withIds(document) {
  const entities = (document.entities ?? []).map((one, place) => ({ ...one, id: `T${place + 1}` }));
  return { ...document, entities };
}

/** What may be said of a text that is asked about. */
function asGiven({ text, passages = [], entities }) {
  return {
    text,
    passages: passages.map(({ start, end, kind }) => ({ start, end, kind: kind.slice(0, LONGEST_KIND) })),
    entities: entities.map(({ start, end, label, id, concept_ids = [] }) => ({ start, end, label, id, concept_ids })),
  };
}
