"""Documents that say the same are found, and others are not."""

import resource
import signal
import tracemalloc
from pathlib import Path
from random import Random

import numpy as np
import numpy.typing as npt
import pytest

from biobert.core.errors import BadInputError, BiobertError
from biobert.data import duplicates
from biobert.data.duplicates import DuplicateIndex, DuplicateSettings, MinHash, fingerprint
from biobert.data.first_places import FirstPlaces

Tokens = npt.NDArray[np.uint16]
SETTINGS = DuplicateSettings()


def mark(number: int) -> bytes:
    return fingerprint([str(number)])


def ids(seed: int, count: int = 400) -> Tokens:
    return np.random.default_rng(seed).integers(0, 30_000, size=count).astype(np.uint16)


def changed(tokens: Tokens, share: float) -> Tokens:
    """The same tokens with a share of them replaced, here and there."""
    other = tokens.copy()
    places = Random(1).sample(range(len(tokens)), int(share * len(tokens)))
    other[places] = 31_000
    return other


def similarity(one: Tokens, other: Tokens) -> float:
    def shingles(tokens: Tokens) -> set[tuple[int, ...]]:
        return {tuple(tokens[place : place + 5]) for place in range(len(tokens) - 4)}

    both = shingles(one) & shingles(other)
    return len(both) / len(shingles(one) | shingles(other))


def test_a_fingerprint_is_blind_to_case_alone() -> None:
    assert fingerprint(["Lithium helps."]) == fingerprint(["lithium HELPS."])
    assert fingerprint(["Lithium helps."]) != fingerprint(["Lithium helps"])
    assert fingerprint(["Lithium ", "helps."]) == fingerprint(["Lithium helps."])
    assert len(fingerprint([])) == 16


def test_signatures_estimate_the_jaccard_similarity() -> None:
    settings = DuplicateSettings(bands=64, rows=8)
    minhash = MinHash(settings)
    for share in (0.0, 0.01, 0.05, 0.2):
        one, other = ids(1, 2000), changed(ids(1, 2000), share)
        estimate = float((minhash.signature(one) == minhash.signature(other)).mean())
        # Three standard deviations of a mean of 512 draws are 0.066 at most.
        assert estimate == pytest.approx(similarity(one, other), abs=0.07)


def test_repetitions_within_a_document_do_not_count() -> None:
    minhash = MinHash(SETTINGS)
    block = ids(1, 50)
    once, often = np.concatenate([block] * 2), np.concatenate([block] * 9)
    assert (minhash.signature(once) == minhash.signature(often)).all()


@pytest.mark.parametrize("block", [1, 7, 395, 396, 397, 1000])
def test_a_document_in_blocks_has_the_same_signature(
    block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = MinHash(SETTINGS).signature(ids(1))
    monkeypatch.setattr(duplicates, "BLOCK_TOKENS", block)
    assert (MinHash(SETTINGS).signature(ids(1)) == whole).all()


@pytest.mark.parametrize("count", [1, 2, 4, 5, 6])
def test_documents_shorter_than_a_shingle_have_signatures(count: int) -> None:
    minhash = MinHash(SETTINGS)
    assert (minhash.signature(ids(1, count)) == minhash.signature(ids(1, count))).all()
    assert not (minhash.signature(ids(1, count)) == minhash.signature(ids(2, count))).all()


def test_the_index_finds_exact_and_near_duplicates_and_spares_the_rest(tmp_path: Path) -> None:
    minhash, index = MinHash(SETTINGS), DuplicateIndex(SETTINGS, tmp_path)
    for seed in range(200):
        assert index.seen(mark(seed), minhash.signature(ids(seed))) is None
    assert index.seen(mark(7), minhash.signature(ids(999))) == "exact"
    for seed in range(200):
        near = minhash.signature(changed(ids(seed), 0.01))
        far = minhash.signature(changed(ids(seed), 0.2))
        assert index.seen(mark(1000 + seed), near) == "near"
        assert index.seen(mark(2000 + seed), far) is None


def test_beyond_some_megabytes_the_index_lies_on_the_disk(tmp_path: Path) -> None:
    count = 10_000
    generator = np.random.default_rng(1)
    signatures = generator.integers(0, 1 << 32, size=(count, 64), dtype=np.uint32)
    tracemalloc.start()
    index = DuplicateIndex(SETTINGS, tmp_path / "corpus")
    for number in range(count):
        assert index.seen(mark(number), signatures[number].copy()) is None
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # All of it would take 8 MB; what is held are the arrays that are small.
    assert held < 4_000_000
    assert not list((tmp_path / "corpus").iterdir())
    assert all(index.seen(mark(count), one) == "near" for one in signatures)
    assert all(index.seen(mark(number), None) == "exact" for number in range(count))


def test_a_disk_without_room_for_the_index_is_named(tmp_path: Path) -> None:
    index = FirstPlaces(tmp_path)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, before[1]))
    try:
        with pytest.raises(BiobertError, match="make room on the disk") as caught:
            for number in range(200_000):
                index.keep_first(number * 0x9E3779B97F4A7C15 % 2**64, number)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert caught.value.code == "disk"
    assert index.get(0) == 0


def test_what_was_refused_is_not_remembered(tmp_path: Path) -> None:
    minhash, index = MinHash(SETTINGS), DuplicateIndex(SETTINGS, tmp_path)
    drifting = ids(1)
    index.add(b"0" * 16, minhash.signature(drifting))
    # A chain of small changes ends far from its beginning: only what was kept is compared with.
    for _ in range(3):
        drifting = changed(drifting, 0.01)
    assert index.seen(b"1" * 16, minhash.signature(drifting)) == "near"
    assert index.seen(b"1" * 16, minhash.signature(ids(2))) is None


def test_whole_documents_alone_can_be_compared(tmp_path: Path) -> None:
    index = DuplicateIndex(DuplicateSettings(near="none"), tmp_path)
    assert index.seen(b"a" * 16, None) is None
    assert index.seen(b"a" * 16, None) == "exact"


def test_the_same_seed_gives_the_same_signatures() -> None:
    one = MinHash(SETTINGS).signature(ids(1))
    assert (one == MinHash(SETTINGS).signature(ids(1))).all()
    assert not (one == MinHash(DuplicateSettings(seed=2)).signature(ids(1))).all()
    # Pinned: a build that another version resumes must agree with itself.
    assert one[:4].tolist() == [30740641, 11989449, 30942166, 20056000]


def test_settings_that_cannot_be_are_refused() -> None:
    with pytest.raises(BadInputError, match="at least 1"):
        DuplicateSettings(bands=0)
