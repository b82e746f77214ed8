"""The model card: a README that says what a model is, from its manifest."""

from collections.abc import Mapping
from typing import Any

from biobert.core.model_folder import ModelManifest
from biobert.data.catalogue import corpus_names, load_corpus
from biobert.tasks import build_task

TEMPLATE = """\
---
library_name: biobert
tags: [biomedical, {task}]
---

# {name}

A `{task}` model made with biobert {version}.
{description}

```
{use}
```
{answers}
## Made from

Encoder: {base}. Its licence and its training data are those of its own card.

Trained on:

{data}

## Measured on the development data

{metrics}

`devel` is the {measure}, the mean over the sets if there are several. The resolved recipe and the
versions of all packages are in `biobert.json`.
"""
USES = {
    "pretraining": 'biobert fill-mask "The drug [MASK] blood pressure." --model {folder}',
    "qa": 'biobert answer "What was given?" --context abstract.txt --model {folder}',
    "embedding": "biobert embed abstracts.jsonl --output vectors.npy --model {folder}",
    "generation": "biobert generate abstracts.jsonl --model {folder}",
}
"""How a model is used; the others annotate."""
ANNOTATE = "biobert annotate abstract.txt --model {folder}"
FOLDER = "PATH_TO_THIS_FOLDER"


def model_card(manifest: ModelManifest) -> str:
    """Markdown for a model folder's README.md."""
    labels = manifest.task_settings.get("labels", ())
    answers = f"\n## Answers\n\n{_list(labels)}\n" if labels else ""
    return TEMPLATE.format(
        name=manifest.name,
        task=manifest.task,
        version=manifest.versions.get("biobert", ""),
        description=manifest.recipe.get("description", ""),
        use=USES.get(manifest.task, ANNOTATE).format(folder=FOLDER),
        answers=answers,
        measure=_measure(manifest),
        base=manifest.recipe.get("model", {}).get("encoder", "unknown"),
        data=_list(_source(name, what) for name, what in manifest.data.items()),
        metrics=_list(f"{name}: {_figure(value)}" for name, value in _scores(manifest.metrics)),
    )


def _measure(manifest: ModelManifest) -> str:
    if manifest.task == "pretraining":  # whose corpora are no documents to score
        return "mean log-likelihood of a hidden piece"
    return build_task(manifest.task, manifest.task_settings).measure()


def _source(name: str, what: Any) -> str:
    """What was read of a corpus, with its terms where the catalogue knows them."""
    corpus = name.split(" ")[0]
    if corpus not in corpus_names():
        return f"{name}: {what}"
    row = load_corpus(corpus)
    return f"{name}: {what}. {row.licence}; {row.citation}"


def _list(lines: Any) -> str:
    return "\n".join(f"- {line}" for line in lines) or "- nothing recorded"


def _scores(metrics: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return [(name, value) for name, value in metrics.items() if not isinstance(value, list)]


def _figure(value: Any) -> str:
    return f"{value:.4f}" if isinstance(value, float) else str(value)
