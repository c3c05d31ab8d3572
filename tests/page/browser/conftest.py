"""A map page in a real Chromium."""

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from stages.common.samples_table import make_samples
from stages.page.map_page import Points, map_page
from tests.browser_page import BrowserPage, opening

CLASS_NAMES = ["boat", "sail boat", "</script><img src=x onerror=window.hacked=1>", "=1+1"]
TITLE = "<b>Ships</b> & </title><script>window.hacked=1</script>"
VIEWPORT = {"width": 1000, "height": 700}
HARBOURS = ["Busan", "Kiel", "=cmd()", "</script><i>x"]


def columns_of(count: int) -> pd.DataFrame:
    """Columns of every type, with missing and hostile values."""
    numbers = np.arange(count)
    return pd.DataFrame(
        {
            "tonnes": np.where(numbers % 10 == 9, np.nan, numbers * 1.5),
            "built": pd.to_datetime("1990-01-01") + pd.to_timedelta(numbers, "D"),
            "harbour": pd.Categorical.from_codes(np.where(numbers % 7 == 6, -1, numbers % 4), HARBOURS),
            "log": [f"entry {i} " + "a quiet day at sea. " * 20 if i % 3 else f"brief {i}" for i in numbers],
            "site": [f"https://ships.example/{i}?a=1&b=<2>" for i in numbers],
        }
    )


def clusters(count: int, dimensions: int = 2, seed: int = 0, size: int = 28, split: str = "train") -> Points:
    """Points of four classes in four clusters, with images that differ in every pixel."""
    draw = np.random.default_rng(seed)
    labels = np.arange(count) % len(CLASS_NAMES)
    centres = np.array([[-20, 10, 5], [20, 12, -5], [15, -15, 10], [-12, -18, -10]])[:, :dimensions]
    positions = (centres[labels] + draw.normal(0, 4, (count, dimensions))).astype(np.float32)
    images = draw.integers(0, 256, (count, size, size), dtype=np.uint8)
    names = [f"{split}/ship {i} & co.png" for i in range(count)]
    return Points(
        positions=positions,
        samples=make_samples(np.full(count, split), names, labels, CLASS_NAMES, columns_of(count)),
        images=images,
        reconstructions=255 - images,
        errors=draw.random(count, dtype=np.float32),
        neighbours=draw.integers(0, count, (count, 5)),
        kept=draw.random(count, dtype=np.float32),
    )


SHIPS = clusters(600)
NEW_SHIPS = replace(clusters(60, seed=1, split="test"), kept=None)


@pytest.fixture(scope="session")
def ships() -> Points:
    return SHIPS


@pytest.fixture(scope="session")
def new_ships() -> Points:
    return NEW_SHIPS


@pytest.fixture(scope="session")
def write_page(tmp_path_factory):
    """Write a page for some points; its address."""

    def write(points: Points, **options) -> str:
        path: Path = tmp_path_factory.mktemp("page") / "map.html"
        path.write_text(map_page(points, **{"title": TITLE, **options}), encoding="utf-8")
        return path.as_uri()

    return write


@pytest.fixture(scope="session")
def ships_page(write_page) -> str:
    return write_page(
        SHIPS,
        new=NEW_SHIPS,
        new_name="Test ships",
        metrics={"map": {"agreement": {"masts": 0.5}, "trustworthiness": 0.98765}},
        params={"seed": 3, "network": {"hidden": [64, 32], "bias": True}},
    )


class MapPage(BrowserPage):
    """An opened page: where its points are on the screen, and what it shows."""

    def __init__(self, page):
        super().__init__(page)
        self.canvas = page.locator("#overlay")
        self.card = page.locator("#card")

    def settle(self) -> None:
        """Wait until movements are over and what has changed is drawn."""
        self.run("""async () => {
            const frame = () => new Promise(requestAnimationFrame);
            do { await frame(); await frame(); } while (fitmap.motion.gliding || fitmap.map.frame);
        }""")

    def at(self, point: int) -> list[float]:
        return self.run("(i) => fitmap.map.screenOf(i)", point)

    def hover(self, point: int) -> None:
        self.page.mouse.move(*self.at(point))

    def click(self, point: int) -> None:
        self.page.mouse.click(*self.at(point))

    def name(self) -> str:
        """The name on the card, once what has changed is drawn; "" without a card."""
        self.settle()
        return self.card.locator("[data-part=name]").text_content() if self.card.is_visible() else ""

    def view(self) -> dict[str, float]:
        return self.run("() => (({x, y, scale}) => ({x, y, scale}))(fitmap.map.viewport)")

    def look_at(self, point: int, scale: float) -> None:
        """Bring a point to the middle of the free part of the map."""
        self.run(
            """([i, scale]) => {
                const { map, motion } = fitmap;
                map.viewport.set({ x: map.layout.seen[3 * i], y: map.layout.seen[3 * i + 1], scale });
                motion.moved();
            }""",
            [point, scale],
        )
        self.settle()

    def download(self, button: str) -> Path:
        """Click on a button that downloads a file; the file."""
        with self.page.expect_download() as download:
            self.page.locator(button).click()
        return download.value.path()

    def screenshot(self) -> np.ndarray:
        """int (h, w, 3), what the window shows."""
        return np.asarray(Image.open(io.BytesIO(self.page.screenshot())).convert("RGB")).astype(int)

    def drawn_image(self, point: int, pixels: int = 28) -> np.ndarray:
        """The middle of each pixel of a point's image, as it is on the screen, without the border of the tile."""
        size = self.run("() => fitmap.map.imageSize")
        left, top = self.at(point)
        middles = (np.arange(pixels) + 0.5) / pixels * size - size / 2
        return self.screenshot()[np.ix_((top + middles).astype(int), (left + middles).astype(int))][2:-2, 2:-2]

    def pixels(self, selector: str) -> np.ndarray:
        """uint8 (h, w, 4), the content of a 2-D canvas that has been drawn."""
        self.page.wait_for_selector(f"{selector}[data-point]")
        width, height, values = self.run(
            """(selector) => {
                const canvas = document.querySelector(selector);
                const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
                return [canvas.width, canvas.height, [...data]];
            }""",
            selector,
        )
        return np.array(values, np.uint8).reshape(height, width, 4)


@pytest.fixture
def open_page(browser):
    with opening(browser, MapPage, viewport=VIEWPORT, reduced_motion="reduce") as open_address:
        yield open_address


@pytest.fixture
def ship_map(open_page, ships_page) -> MapPage:
    return open_page(ships_page)
