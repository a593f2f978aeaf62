from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench import fingerprints
from bench.pictures import digests, hash_order, split_by_share

MakeImages = Callable[[Path, Iterable[str]], list[Path]]
SHARES = {"train": 0.7, "validation": 0.1, "test": 0.2}
keys = st.lists(st.text(max_size=6), min_size=1, max_size=30)


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list that grows by the name of each file whose content is hashed."""
    names: list[str] = []
    original = fingerprints.of_file

    def counting(path: Path) -> str:
        names.append(path.name)
        return original(path)

    monkeypatch.setattr(fingerprints, "of_file", counting)
    return names


def test_digests_are_those_of_the_files_one_per_path_given(
    tmp_path: Path, make_images: MakeImages
) -> None:
    files = make_images(tmp_path, ["b.jpg", "ö/a a.jpg"])
    first, second = map(fingerprints.of_file, files)
    assert first != second
    assert digests(tmp_path, ["ö/a a.jpg", "b.jpg", "ö/a a.jpg"]) == [second, first, second]
    assert digests(tmp_path, []) == []


def test_what_is_no_file_has_no_digest(tmp_path: Path, make_images: MakeImages) -> None:
    [here] = make_images(tmp_path, ["here.jpg"])
    (tmp_path / "folder").mkdir()
    (tmp_path / "dangling.jpg").symlink_to(tmp_path / "nowhere.jpg")
    paths = ["gone.jpg", "folder", ".", "here.jpg", "here.jpg/inside.jpg", "dangling.jpg",
             "x" * 300, "a\0.jpg"]  # fmt: skip
    found = digests(tmp_path, paths)
    assert found.pop(3) == fingerprints.of_file(here)
    assert found == [None] * 7


def test_a_copy_has_the_digest_of_its_original(tmp_path: Path, make_images: MakeImages) -> None:
    [original] = make_images(tmp_path, ["a.jpg"])
    (tmp_path / "copy.jpg").write_bytes(original.read_bytes())
    first, second = digests(tmp_path, ["a.jpg", "copy.jpg"])
    assert first == second is not None


def test_only_a_file_that_changed_is_read_again(
    tmp_path: Path, make_images: MakeImages, hashed: list[str]
) -> None:
    names = ["kept.jpg", "longer.jpg", "newer.jpg"]
    _, longer, newer = make_images(tmp_path, names)
    before = digests(tmp_path, names)
    assert sorted(hashed) == names
    hashed.clear()
    assert digests(tmp_path, names[::-1]) == before[::-1]
    assert hashed == []
    time = longer.stat().st_mtime_ns
    longer.write_bytes(longer.read_bytes() + b" ")
    os.utime(longer, ns=(time, time))  # only the size tells
    newer.write_bytes(newer.read_bytes()[::-1])
    os.utime(newer, ns=(1, 1))  # only the time tells
    after = digests(tmp_path, names)
    assert sorted(hashed) == ["longer.jpg", "newer.jpg"]
    assert after[0] == before[0]
    assert after[1:] == [fingerprints.of_file(longer), fingerprints.of_file(newer)]
    assert not set(after[1:]) & set(before)


def test_a_file_that_went_has_no_digest_until_it_is_back(
    tmp_path: Path, make_images: MakeImages
) -> None:
    [file] = make_images(tmp_path, ["a.jpg"])
    before = digests(tmp_path, ["a.jpg"])
    moved = file.rename(tmp_path / "elsewhere.jpg")
    assert digests(tmp_path, ["a.jpg"]) == [None]
    moved.rename(file)
    assert digests(tmp_path, ["a.jpg"]) == before


def test_two_subsets_of_one_folder_do_not_evict_each_other(
    tmp_path: Path, make_images: MakeImages, hashed: list[str]
) -> None:
    files = make_images(tmp_path, ["a.jpg", "b.jpg", "c.jpg"])
    expected = [fingerprints.of_file(file) for file in files]
    hashed.clear()
    subsets = [["a.jpg", "b.jpg"], ["b.jpg", "c.jpg"]]
    for paths in [*subsets, *subsets, ["c.jpg", "a.jpg"]]:
        assert digests(tmp_path, paths) == [expected["abc".index(path[0])] for path in paths]
    assert sorted(hashed) == ["a.jpg", "b.jpg", "c.jpg"]


def test_equal_names_in_two_folders_do_not_meet(tmp_path: Path, make_images: MakeImages) -> None:
    make_images(tmp_path / "one", ["a.jpg"])
    make_images(tmp_path / "two", ["other.jpg", "a.jpg"])
    assert digests(tmp_path / "one", ["a.jpg"]) != digests(tmp_path / "two", ["a.jpg"])


@given(keys, st.text(max_size=4))
def test_hash_order_is_a_permutation_and_repeats_itself(keys: list[str], salt: str) -> None:
    order = hash_order(keys, salt=salt).tolist()
    assert sorted(order) == list(range(len(keys)))
    assert hash_order(keys, salt=salt).tolist() == order


@given(keys, st.randoms(use_true_random=False))
def test_hash_order_does_not_depend_on_the_order_given(keys: list[str], random: object) -> None:
    shuffled = list(keys)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert [keys[i] for i in hash_order(keys)] == [shuffled[i] for i in hash_order(shuffled)]


@given(keys, st.data())
def test_the_hash_order_of_a_subset_is_that_of_the_whole(
    keys: list[str], data: st.DataObject
) -> None:
    subset = [key for key in keys if data.draw(st.booleans())]
    whole = [keys[i] for i in hash_order(keys)]
    kept = iter(whole)
    assert all(subset[i] in kept for i in hash_order(subset))


def test_hash_order_is_never_other() -> None:
    # written down once: a split that is drawn today must be the one of a year from now
    names = ["dress", "hat", "longsleeve", "outwear", "pants", "shirt"]
    assert hash_order(names).tolist() == [2, 1, 4, 0, 3, 5]
    assert hash_order(names, salt="1").tolist() == [5, 4, 3, 1, 0, 2]


def test_hash_order_follows_nothing_that_the_keys_say() -> None:
    order = hash_order([f"{number:05}" for number in range(10_000)])
    ranks = sorted(range(10_000), key=lambda position: order[position])
    first = sum(rank < 5_000 for rank in ranks[:5_000])
    assert 2_350 < first < 2_650  # six standard deviations


@given(keys, st.text(max_size=4))
def test_equal_keys_go_together_and_a_subset_is_split_as_the_whole(
    keys: list[str], salt: str
) -> None:
    parts = split_by_share(keys, SHARES, salt=salt)
    assert set(parts) <= set(SHARES)
    of_key = dict(zip(keys, parts, strict=True))
    assert [of_key[key] for key in keys] == parts.tolist(), "equal keys together"
    subset = keys[::2]
    assert split_by_share(subset, SHARES, salt=salt).tolist() == parts[::2].tolist()
    backwards = split_by_share(keys[::-1], SHARES, salt=salt)
    assert backwards.tolist() == parts[::-1].tolist()


def test_shares_are_met_by_ten_thousand_keys() -> None:
    names = [f"person-{number}" for number in range(10_000)]
    for salt in ("", "1"):
        parts = split_by_share(names, SHARES, salt=salt)
        for part, share in SHARES.items():
            assert abs((parts == part).mean() - share) < 0.02  # four standard deviations
    once, again = (split_by_share(names, SHARES, salt=salt) for salt in ("", "1"))
    assert 0.4 < (once == again).mean() < 0.7, "another salt is another split"


def test_a_part_without_a_share_stays_empty() -> None:
    names = [str(number) for number in range(500)]
    assert set(split_by_share(names, {"train": 0.0, "test": 1.0})) == {"test"}
    assert set(split_by_share(names, {"train": 1.0, "test": 0.0})) == {"train"}


def test_shares_that_add_up_to_less_than_one_leave_no_key_out() -> None:
    names = [str(number) for number in range(2_000)]
    assert set(split_by_share(names, {str(part): 0.1 for part in range(10)})) == set("0123456789")
    parts = split_by_share(names, {"train": 0.5, "test": 0.49})
    assert set(parts) == {"train", "test"}
    assert (parts == "train").sum() == (split_by_share(names, {"train": 0.5, "": 0.5}) != "").sum()


def test_no_key_has_no_part() -> None:
    assert split_by_share([], SHARES).tolist() == []
    assert hash_order([]).tolist() == []
