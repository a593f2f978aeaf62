"""Annotation files of Exact Street2Shop at their published size; the images are absent."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

# rows of test_pairs and of train_pairs
PAIRS = {
    "bags": (174, 579),
    "belts": (89, 235),
    "dresses": (3292, 12875),
    "eyewear": (138, 358),
    "footwear": (2178, 6486),
    "hats": (86, 400),
    "leggings": (517, 1641),
    "outerwear": (666, 1945),
    "pants": (130, 600),
    "skirts": (604, 3337),
    "tops": (763, 2173),
}
STREET_PHOTOS, SHOP_PHOTOS = 20_357, 404_683
TEST_PHOTOS = 6_000  # the street photos that test_pairs share; train_pairs share the others
PHOTOS_OF_A_PRODUCT = 2


def shop_counts() -> dict[str, int]:
    """Return how many rows each retrieval file has: as many as it has pairs, in proportion."""
    pairs = sum(map(sum, PAIRS.values()))
    counts = {name: SHOP_PHOTOS * sum(both) // pairs for name, both in PAIRS.items()}
    counts["dresses"] += SHOP_PHOTOS - sum(counts.values())
    return counts


def write_published(root: Path) -> None:
    """Write photos.txt and the 33 JSON files below `root`."""
    (root / "photos").mkdir(parents=True)
    (root / "meta" / "json").mkdir(parents=True)
    ids = range(1, STREET_PHOTOS + SHOP_PHOTOS + 1)
    rows = (f"{photo:09d},http://example.com/a,b/{photo}.jpg\n" for photo in ids)
    (root / "photos" / "photos.txt").write_text("".join(rows))
    test = _cycle(1, TEST_PHOTOS)
    train = _cycle(TEST_PHOTOS + 1, STREET_PHOTOS)
    shop = iter(ids[STREET_PHOTOS:])
    for category, count in shop_counts().items():
        products = count // PHOTOS_OF_A_PRODUCT
        tested, trained = PAIRS[category]
        # the tested products have odd numbers, those of train_pairs even ones
        _write(root, f"test_pairs_{category}", _pairs(test, tested, range(1, products, 2)))
        _write(root, f"train_pairs_{category}", _pairs(train, trained, range(2, products, 2)))
        offered = (
            f'{{"photo": {next(shop)}, "product": {i % products + 1}}}' for i in range(count)
        )
        _write(root, f"retrieval_{category}", offered)


def _cycle(first: int, last: int) -> Iterator[int]:
    while True:
        yield from range(first, last + 1)


def _pairs(photos: Iterator[int], count: int, products: range) -> Iterator[str]:
    for row in range(count):
        product = products[row * 7 % len(products)]
        box = f'{{"width": {300 + row % 90}, "top": {row % 50}, "left": {row % 70}, "height": 400}}'
        yield f'{{"photo": {next(photos)}, "product": {product}, "bbox": {box}}}'


def _write(root: Path, name: str, rows: Iterator[str]) -> None:
    (root / "meta" / "json" / f"{name}.json").write_text(f"[{', '.join(rows)}]")
