"""The state file, and the order in which things are deleted."""

from pathlib import Path

from lab.provider.state import Entry, State, deletion_order


def _entry(urn: str, *needs: str) -> Entry:
    return Entry(urn=urn, type="t", id=urn, inputs={}, outputs={}, dependencies=list(needs))


def _order(entries: list[Entry], others: list[Entry] | None = None) -> str:
    needs = {entry.urn: entry.needs for entry in [*entries, *(others or [])]}
    return "".join(entry.urn for entry in deletion_order(entries, needs))


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    state = State(tmp_path / "s.json")
    old, new = _entry("a", "b"), _entry("a", "c")
    state.put(old)
    state.supersede(old, new)
    again = State(tmp_path / "s.json")
    assert again.entries() == [new]
    assert again.pending() == [old]
    again.remove(again.pending()[0])
    assert State(tmp_path / "s.json").pending() == []
    assert State(tmp_path / "s.json").entries() == [new]


def test_a_new_name_is_followed_by_whatever_refers_to_it(tmp_path: Path) -> None:
    state = State(tmp_path / "s.json")
    state.put(_entry("a"))
    state.put(_entry("b", "a"))
    state.rename("a", "z")
    again = State(tmp_path / "s.json")
    assert {entry.urn for entry in again.entries()} == {"z", "b"}
    assert again.get("b") == _entry("b", "z")


def test_dependents_go_before_what_they_need() -> None:
    assert _order([_entry("a"), _entry("b", "a"), _entry("c", "b")]) == "cba"
    assert _order([_entry("c", "b"), _entry("b", "a"), _entry("a")]) == "cba"


def test_a_need_through_something_that_stays_counts() -> None:
    staying = _entry("b", "a")
    assert _order([_entry("a"), _entry("c", "b")], [staying]) == "ca"
    assert _order([_entry("c", "b"), _entry("a")], [staying]) == "ca"


def test_a_parent_and_a_provider_outlive_their_own() -> None:
    child = Entry(urn="c", type="t", id="c", inputs={}, outputs={}, parent="p", provider="v")
    order = _order([_entry("p"), _entry("v"), child])
    assert order[0] == "c"
