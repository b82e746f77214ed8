"""What is taken of a model on the Hugging Face hub, played on a small hub of our own."""

from collections.abc import Callable
from fnmatch import fnmatch
from pathlib import Path
from types import SimpleNamespace

import huggingface_hub
import pytest
from huggingface_hub import RepoFile
from huggingface_hub.errors import OfflineModeIsEnabled

from biobert.core.errors import BadInputError
from biobert.core.hub import CONVERT_NAME, ROBOT, SAFETENSORS, find_published_folder
from biobert.text.tokenizer import TOKENIZER_FILES

WANTED = ("*.json", "vocab.txt", SAFETENSORS)


class FakeHub:
    """As `HfApi` says what is in a repository; `snapshot` gives its files from a hub's cache."""

    def __init__(self, cache: Path, revisions: dict[str, dict[str, str]], **authors: str) -> None:
        self.cache, self.revisions, self.authors = cache, revisions, authors
        self.is_offline = False

    def get_repo_discussions(self, name: str, **wanted: str) -> list[SimpleNamespace]:
        if self.is_offline:
            raise OfflineModeIsEnabled
        assert wanted["discussion_type"] == "pull_request" and wanted["discussion_status"] == "open"
        return [
            SimpleNamespace(author=author, git_reference=f"refs/pr/{number.removeprefix('pr')}")
            for number, author in self.authors.items()
        ]

    def list_repo_tree(self, name: str, *, revision: str) -> list[RepoFile]:
        content = self.revisions[revision]
        return [RepoFile(path=path, oid=one, size=1) for path, one in content.items()]

    def snapshot(self, name: str, *, revision: str | None = None, allow_patterns: list[str]) -> str:
        reference = revision or "main"
        folder = self.cache / "snapshots" / reference.replace("/", "-")
        folder.mkdir(parents=True, exist_ok=True)
        for path in self.revisions[reference]:
            if any(fnmatch(path, pattern) for pattern in allow_patterns):
                (folder / path).touch()
        (self.cache / "refs" / reference).parent.mkdir(parents=True, exist_ok=True)
        (self.cache / "refs" / reference).write_text(folder.name)
        return str(folder)


PICKLED = {"config.json": "c", "vocab.txt": "v", "pytorch_model.bin": "weights"}


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., FakeHub]:
    def make(revisions: dict[str, dict[str, str]], **authors: str) -> FakeHub:
        fake = FakeHub(tmp_path, revisions, **authors)
        monkeypatch.setattr(huggingface_hub, "HfApi", lambda: fake)
        monkeypatch.setattr(huggingface_hub, "snapshot_download", fake.snapshot)
        return fake

    return make


def test_the_hubs_conversion_of_the_same_weights_is_taken_and_named(
    hub: Callable[..., FakeHub], caplog: pytest.LogCaptureFixture
) -> None:
    revisions = {
        "main": PICKLED,
        # Of somebody, of older weights, of no safetensors, and the one that is meant.
        "refs/pr/1": {**PICKLED, "model.safetensors": "s"},
        "refs/pr/2": {**PICKLED, "pytorch_model.bin": "old", "model.safetensors": "s"},
        "refs/pr/3": {**PICKLED, "README.md": "r"},
        "refs/pr/4": {**PICKLED, "model.safetensors": "s"},
    }
    fake = hub(revisions, pr1="anyone", pr2=ROBOT, pr3=ROBOT, pr4=ROBOT)
    folder = find_published_folder("some/model", WANTED)
    assert folder.name == "refs-pr-4"
    there = {path.name for path in folder.iterdir()}
    assert there == {"config.json", "vocab.txt", "model.safetensors"}
    assert "some/model has no safetensors: those of refs/pr/4 are taken" in caplog.text
    assert f"commit {folder.name}" in caplog.text
    fake.is_offline = True
    assert find_published_folder("some/model", WANTED) == folder


def test_safetensors_of_the_publisher_come_first(hub: Callable[..., FakeHub]) -> None:
    own = {**PICKLED, "model.safetensors": "own"}
    hub({"main": own, "refs/pr/1": {**PICKLED, "model.safetensors": "s"}}, pr1=ROBOT)
    assert find_published_folder("some/model", WANTED).name == "main"


@pytest.mark.parametrize("author", ["anyone", None])
def test_without_a_conversion_the_error_has_the_command(
    author: str | None, hub: Callable[..., FakeHub]
) -> None:
    requests = {"pr1": author} if author else {}
    hub({"main": PICKLED, "refs/pr/1": {**PICKLED, "model.safetensors": "s"}}, **requests)
    with pytest.raises(BadInputError, match=r"snapshot_download\('some/model'.*ForPreTraining"):
        find_published_folder("some/model", WANTED)
    page = Path(__file__).parents[2] / "docs/how-to/encoders.md"
    assert CONVERT_NAME.format(name="NAME") in page.read_text(encoding="utf-8")
    # A vocabulary alone needs no weights.
    assert find_published_folder("some/model", TOKENIZER_FILES).name == "main"
