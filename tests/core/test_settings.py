"""Settings from tables, and their changes."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from biobert.core.errors import BadInputError, BiobertError
from biobert.core.settings import from_mapping, override, read_toml, to_mapping


@dataclass(frozen=True)
class Inner:
    rate: float = 0.5
    words: tuple[str, ...] = ()


@dataclass(frozen=True)
class Outer:
    name: str
    inner: Inner = Inner()
    count: int | None = None


def test_settings_come_from_tables_and_go_back() -> None:
    values = {"name": "a", "inner": {"rate": 1, "words": ["x", "y"]}, "count": 3}
    found = from_mapping(Outer, values, place="a.toml")
    assert found == Outer("a", Inner(1.0, ("x", "y")), 3)
    assert from_mapping(Outer, to_mapping(found), place="again") == found


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "name"),
        ({"name": 3}, r"name.*3"),
        ({"name": "a", "cuont": 1}, "count"),
        ({"name": "a", "inner": {"rat": 1}}, "rate"),
        ({"name": "a", "inner": {"rate": "fast"}}, "fast"),
        ({"name": "a", "inner": {"rate": float("nan")}}, "nan"),
        ({"name": "a", "inner": 4}, "inner"),
    ],
)
def test_wrong_settings_name_value_place_and_cure(values: dict[str, object], message: str) -> None:
    with pytest.raises(BiobertError, match=message) as caught:
        from_mapping(Outer, values, place="recipe.toml")
    assert "recipe.toml" in str(caught.value)


def test_assignments_change_a_copy() -> None:
    tables = {"a": {"b": 1}}
    changed = override(tables, ["a.b=5e-5", "a.c=word", "d.e=[1, 2]", 'f="x=y"'])
    assert changed == {"a": {"b": 5e-5, "c": "word"}, "d": {"e": [1, 2]}, "f": "x=y"}
    assert tables == {"a": {"b": 1}}
    for wrong, words in (("nothing", r"table\.key=value"), ("a.b.c=1", "is a value, not a table")):
        with pytest.raises(BadInputError, match=words) as caught:
            override(tables, [wrong])
        assert caught.value.code == "usage"


def test_broken_toml_names_file_and_line(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text("x = 1\ny = = 2\n")
    with pytest.raises(BadInputError, match=r"a\.toml.*line 2"):
        read_toml(tmp_path / "a.toml")
