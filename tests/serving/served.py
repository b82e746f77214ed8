"""Tiny models for every endpoint of a service, and the settings that serve them."""

from pathlib import Path
from typing import Any

from tests.tiny import write_tiny_encoder_folder, write_tiny_model_folder

PARTS: dict[str, dict[str, Any]] = {
    "names": {"name": "ner", "labels": ["Chemical", "Disease"]},
    "organs": {"name": "ner", "labels": ["Anatomy"]},
    "topics": {"name": "classification", "labels": ["yes", "no"], "choice": "many"},
    "inference": {
        "name": "classification",
        "labels": ["entailment", "neutral"],
        "passages": ["premise", "hypothesis"],
    },
    "questions": {"name": "qa"},
    "likeness": {"name": "similarity", "passages": ["left", "right"]},
    "effects": {
        "name": "relations",
        "labels": ["INHIBITOR", "ACTIVATOR"],
        "negative": "none",
        "pairs": [["Chemical", "Disease"]],
    },
}
"""A task of each kind on one encoder, and a second one that finds entities."""
USES = {"encoder": "embed", "language-model": "fill-mask"}


def write_folders(root: Path) -> dict[str, Path]:
    """A tiny model folder for each task, one for all of them, and two encoders."""
    tasks: dict[str, tuple[str, dict[str, Any]]] = {
        "topics": ("classification", {"labels": ["yes", "no"], "choice": "many"}),
        "inference": (
            "classification",
            {"labels": ["entailment", "neutral"], "passages": ["premise", "hypothesis"]},
        ),
        "questions": ("qa", {}),
        "similarity": ("similarity", {"passages": ["left", "right"]}),
        "relations": (
            "relations",
            {
                "labels": ["INHIBITOR", "ACTIVATOR"],
                "negative": "none",
                "pairs": [["Chemical", "Disease"]],
            },
        ),
    }
    made = {
        name: write_tiny_model_folder(root / name, task=task, others=settings)
        for name, (task, settings) in tasks.items()
    }
    made["together"] = write_tiny_model_folder(
        root / "together", task="multitask", others={"parts": PARTS}
    )
    made["encoder"] = write_tiny_encoder_folder(root / "encoder")
    made["language-model"] = write_tiny_encoder_folder(root / "mlm", kind="BertForMaskedLM")
    return made


def models_of(folders: dict[str, Path]) -> list[dict[str, str]]:
    """`[[models]]`: the built-in one, and each of the folders."""
    return [{"name": "entities", "folder": "embedded"}] + [
        {"name": name, "folder": str(folder), "use": USES.get(name, "task")}
        for name, folder in folders.items()
    ]
