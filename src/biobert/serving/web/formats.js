// What is read and written: names for people, media types for the service, and how a text shows
// what it is.

export const READ = {
  text: { name: "plain text", type: "text/plain" },
  pubtator: { name: "PubTator", type: "text/plain; format=pubtator" },
  pubmed: { name: "PubMed XML", type: "application/xml; format=pubmed" },
  jats: { name: "JATS", type: "application/xml; format=jats" },
  "bioc-xml": { name: "BioC XML", type: "application/xml; format=bioc-xml" },
  "bioc-json": { name: "BioC JSON", type: "application/json; format=bioc-json" },
  pdf: { name: "PDF", type: "application/pdf" },
};

export const WRITTEN = {
  json: { name: "JSON", type: "application/json", ending: ".json" },
  jsonl: { name: "JSON lines", type: "application/x-ndjson", ending: ".jsonl" },
  pubtator: { name: "PubTator", type: "text/plain; format=pubtator", ending: ".pubtator" },
  "bioc-json": { name: "BioC JSON", type: "application/json; format=bioc-json", ending: ".bioc.json" },
  "bioc-xml": { name: "BioC XML", type: "application/xml", ending: ".bioc.xml" },
  brat: { name: "BRAT, packed", type: "application/zip", ending: ".brat.zip" },
  html: { name: "HTML page", type: "text/html", ending: ".html" },
  conll: { name: "CoNLL", type: "text/plain; format=conll", ending: ".conll" },
  tsv: { name: "TSV of labels", type: "text/tab-separated-values", ending: ".tsv" },
};

export const HEAD_BYTES = 65536;

const XML_ROOTS = [
  [/<Pubmed(Book)?Article(Set)?[\s>]/, "pubmed"],
  [/<(pmc-articleset|article)[\s>]/, "jats"],
  [/<collection[\s>]/, "bioc-xml"],
];

/** The format that the beginning of a text tells, or null for a packed file. */
export function formatOf(head, fileName = "") {
  const begin = head.replace(/^\ufeff/, "").trimStart();
  if (/^(\x1f\ufffd|\x1f\x8b|PK\x03\x04)/.test(begin)) return null;
  if (begin.startsWith("%PDF-") || /\.pdf$/i.test(fileName)) return "pdf";
  if (begin.startsWith("<")) {
    return XML_ROOTS.find(([root]) => root.test(begin))?.[1] ?? "text";
  }
  if (/^[[{]/.test(begin) && /"(passages|documents)"\s*:/.test(begin)) return "bioc-json";
  if (/^[^|\t\r\n]*\|t\|/.test(begin)) return "pubtator";
  return "text";
}

/** `1.2 MB` */
export function sizeOf(bytes) {
  if (bytes < 1000) return `${bytes} bytes`;
  return bytes < 1e6 ? `${Math.round(bytes / 1000)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
