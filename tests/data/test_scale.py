"""The same corpus by way of Ray Data, on a small cluster of this machine."""

from pathlib import Path

import pytest

from biobert.data.building import Ingredients, Run, build_corpus
from biobert.data.places import CorpusPlaces
from biobert.data.rejects import Rejects
from biobert.data.sources import find_sources
from tests.data.built import SMALL, build, checksums
from tests.tiny import tiny_tokenizer

pytestmark = [
    # Its own: it sets defaults that it has deprecated.
    pytest.mark.filterwarnings("ignore:.*is deprecated.*:DeprecationWarning:ray"),
]


@pytest.mark.usefixtures("cluster")
def test_ray_gives_the_same_bytes_and_the_same_rejects(folder: Path, tmp_path: Path) -> None:
    from biobert.data.scale import RayEngine

    local, scaled = Rejects(), Rejects()
    build(folder, tmp_path / "local", rejects=local)
    sources = find_sources([str(folder)], format=None, places=CorpusPlaces(folder))
    run = Run(RayEngine(2), rejects=scaled)
    build_corpus(sources, tmp_path / "ray", Ingredients(tiny_tokenizer()), SMALL, run)
    assert checksums(tmp_path / "local") == checksums(tmp_path / "ray")
    assert scaled.kept == local.kept
