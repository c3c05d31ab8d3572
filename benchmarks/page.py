"""The map page beside Bokeh: file size, time to load, frames a second while panning, time to filter.

Both show the same 6,000 and 70,000 points and 28 × 28 images in one offline file. Bokeh is used as its documentation
says: `file_html` with inline resources, one `scatter`, a `HoverTool` whose tooltip shows the image. Ours also draws the
images on the map, carries 17 columns with their filters, outlines of groups, an encoder that places new images, and at
6,000 points the reconstructions.

`load_ms` is the time from the start of the navigation until the points are drawn and the page answers, `complete_ms`
until every image is decoded and on the GPU, which Bokeh never has. Panning is a mouse drag; its rate is that of the
page's animation frames. `filter_ms` is the time from setting a filter to the frame that shows it. Ratios take Bokeh's
faster backend, with all points drawn. Chromium renders in software.

Needs Bokeh, Playwright and a Chromium on the PATH: `pip install .[benchmarks,browser]`.
"""

import base64
import io
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from benchmarks import parser, report
from stages.autoencoder.training import arrays_of, new_network
from stages.common.colours import class_colour
from stages.common.pca import fit_pca
from stages.common.samples_table import labels_of, numbered_samples
from stages.common.settings import load_params
from stages.images.garments.garments import CLASS_NAMES, FACTORS, draw_garments
from stages.page.map_groups import Group, outline
from stages.page.map_page import GROUP, Points, map_page
from stages.page.pack_encoder import Encoder

try:
    from bokeh.embed import file_html
    from bokeh.models import ColumnDataSource, HoverTool
    from bokeh.plotting import figure
    from bokeh.resources import INLINE
    from playwright.sync_api import Page, sync_playwright
except ImportError as missing:
    sys.exit(f"benchmarks.page needs {missing.name}: pip install '.[benchmarks,browser]'")

COUNTS = (6_000, 70_000)
VIEWPORT = {"width": 1280, "height": 800}
STEPS = 150
STEP_PIXELS = 3
DRAG_SECONDS = 5  # at most; the slowest would take minutes
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--use-gl=angle", "--use-angle=swiftshader",
         "--enable-unsafe-swiftshader")  # fmt: skip
# When a page is there, in milliseconds since the navigation began. Ours marks it itself; Bokeh is asked from the moment
# it can begin, since asking any earlier would slow the reading of the page.
OURS = """async () => {
    await fitmap.ready;
    return ["drawn", "ready"].map((name) => performance.getEntriesByName(name)[0].startTime);
}"""
BOKEH = """(() => {
    const note = () => requestAnimationFrame(() => setTimeout(() => { window.loaded = performance.now(); }));
    const look = () => window.Bokeh?.documents[0]?.is_idle ? note() : setTimeout(look);
    document.addEventListener("DOMContentLoaded", look);
})()"""
BOKEH_TIMES = """async () => {
    while (!window.loaded) await new Promise(requestAnimationFrame);
    return [loaded, loaded];
}"""
FILTER = """async () => {
    const start = performance.now();
    const { key } = fitmap.data.columns.find(({ type }) => type === "number") ?? fitmap.data.classes;
    fitmap.state.setFilter(key, key === "class" ? { without: new Set([1]) } : { from: 0.3, to: 0.6 });
    await new Promise(requestAnimationFrame);
    await new Promise((resolve) => setTimeout(resolve));
    return performance.now() - start;
}"""
COUNT_FRAMES = """async () => {
    await new Promise(requestAnimationFrame);
    window.start = performance.now();
    window.painted = 0;
    const count = () => { window.painted += 1; requestAnimationFrame(count); };
    requestAnimationFrame(count);
}"""


def garments(count: int) -> tuple[Points, list[Group], Encoder]:
    """Return drawn garments at places of their class, each class a group, and an untrained encoder.

    Latents and reconstructions are those of 32 principal components.
    """
    images, labels, factors = draw_garments(count, seed=0)
    draw = np.random.default_rng(0)
    columns = pd.DataFrame(factors, columns=list(FACTORS)).assign(
        **{GROUP: pd.Categorical.from_codes(labels, list(CLASS_NAMES))},
        colour=pd.Categorical(draw.choice(["red", "green", "blue"], count)),
        bought=pd.Timestamp("2020-01-01") + pd.to_timedelta(draw.integers(0, 2000, count), "D"),
        note=[f"bought in shop {shop}" for shop in draw.integers(0, 5000, count)],
    )
    pca = fit_pca(images[:5000], 32)
    latents = pca.transform(images)
    rebuilt = pca.inverse_transform(latents).clip(0, 1).reshape(images.shape)
    angles = 2 * np.pi * labels / len(CLASS_NAMES)
    centres = 40 * np.column_stack([np.cos(angles), np.sin(angles)])
    spread = latents[:, :2] / latents[:, :2].std(axis=0) + draw.normal(0, 1, (count, 2))
    points = Points(
        positions=(centres + 5 * spread).astype(np.float32),
        samples=numbered_samples(count, 0, labels, list(CLASS_NAMES), columns),
        images=images,
        reconstructions=(255 * rebuilt).round().astype(np.uint8) if count <= COUNTS[0] else None,
        errors=((images / 255 - rebuilt) ** 2).mean(axis=(1, 2)),
        neighbours=draw.integers(0, count, (count, 8)),
        kept=draw.random(count, dtype=np.float32),
    )
    members = [np.flatnonzero(labels == label) for label in range(len(CLASS_NAMES))]
    outlines = [(int(rows[0]), outline(points.positions[rows])) for rows in members]
    groups = [Group(name, *drawn) for name, drawn in zip(CLASS_NAMES, outlines, strict=True)]
    network = new_network(images.shape[1:], load_params("autoencoder"))
    framing = {"size": 28, "ground": 0, "extent": 28}
    return points, groups, Encoder(network.architecture, arrays_of(network), latents, far=1.0, framing=framing)


def bokeh_page(points: Points, backend: str) -> str:
    """Return the page of the same points in Bokeh, all of them drawn while panning."""
    source = ColumnDataSource(
        {
            "x": points.positions[:, 0],
            "y": points.positions[:, 1],
            "colour": [class_colour(label) for label in labels_of(points.samples)],
            "name": points.samples["label"].to_numpy(str),
            "image": [_data_uri(image) for image in points.images],
        }
    )
    plot = figure(width=VIEWPORT["width"], height=VIEWPORT["height"], output_backend=backend, tools="pan,wheel_zoom")
    plot.lod_threshold = None
    plot.scatter("x", "y", color="colour", size=4, line_color=None, source=source)
    plot.add_tools(HoverTool(tooltips='<img src="@image" width="112" height="112"><div>@name #$index</div>'))
    return file_html(plot, INLINE, "Bokeh")


def _data_uri(image: np.ndarray) -> str:
    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


def measure(page: Page, path: Path, ours: bool) -> tuple[float, float, float, float]:
    """Return milliseconds until the points are drawn, and until all is there; frames a second while the page is
    dragged; milliseconds that a filter takes (0 for Bokeh, which has none)."""
    if not ours:
        page.add_init_script(BOKEH)
    page.goto(path.as_uri(), timeout=120_000)
    load, complete = page.evaluate(OURS if ours else BOKEH_TIMES)
    page.mouse.move(300, 300)
    page.mouse.down()
    page.mouse.move(310, 300)
    page.evaluate(COUNT_FRAMES)
    until = time.monotonic() + DRAG_SECONDS
    for step in range(STEPS):
        if time.monotonic() > until:
            break
        page.mouse.move(310 + STEP_PIXELS * (step + 1), 300 + step)
    rate = page.evaluate("() => 1000 * painted / (performance.now() - start)")
    page.mouse.up()
    filtering = page.evaluate(FILTER) if ours else 0.0
    page.context.close()
    return load, complete, rate, filtering


def write_pages(folder: Path, count: int) -> dict[str, Path]:
    points, groups, encoder = garments(count)
    pages = {
        "fitmap": map_page(points, title=f"{count:,} garments", groups=groups, encoder=encoder),
        "bokeh canvas": bokeh_page(points, "canvas"),
        "bokeh webgl": bokeh_page(points, "webgl"),
    }
    paths = {}
    for name, text in pages.items():
        paths[name] = folder / f"{name} {count}.html"
        paths[name].write_text(text, encoding="utf-8")
    return paths


def main() -> None:
    arguments = parser(__doc__)
    arguments.add_argument("--rounds", type=int, default=3, help="measurements of each page, in turns (3)")
    arguments.add_argument("--counts", type=int, nargs="+", default=COUNTS, help="numbers of points (6000 70000)")
    options = arguments.parse_args()
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        sys.exit("benchmarks.page needs a Chromium on the PATH (chromium, chromium-browser or google-chrome)")

    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=list(FLAGS))
        print(f"{'points':>7}  {'page':22} {'MB':>6} {'load ms':>8} {'frames/s':>9}")
        for count in options.counts:
            paths = write_pages(Path(folder), count)
            taken = {name: [] for name in paths}
            for _ in range(options.rounds):
                for name, path in paths.items():
                    page = browser.new_context(viewport=VIEWPORT).new_page()
                    taken[name].append(measure(page, path, ours=name == "fitmap"))
            medians = {
                name: [statistics.median(values) for values in zip(*runs, strict=True)] for name, runs in taken.items()
            }
            for name, (load, _, rate, _) in medians.items():
                print(f"{count:7,}  {name:22} {paths[name].stat().st_size / 1e6:6.1f} {load:8.0f} {rate:9.1f}")
            figures |= summary(count, paths, medians)
        browser.close()
    report("page", figures, options.json, digits=3)


def summary(count: int, paths: dict[str, Path], medians: dict[str, list[float]]) -> dict[str, float]:
    """Return the figures of one number of points; ratios above one mean that the map page is the faster."""
    load, complete, rate, filtering = medians["fitmap"]
    peers = [medians["bokeh canvas"], medians["bokeh webgl"]]
    return {
        f"file_mb_{count}": paths["fitmap"].stat().st_size / 1e6,
        f"bokeh_file_mb_{count}": paths["bokeh canvas"].stat().st_size / 1e6,
        f"load_ms_{count}": load,
        f"complete_ms_{count}": complete,
        f"fps_{count}": rate,
        f"filter_ms_{count}": filtering,
        f"load_ratio_{count}": min(peer[0] for peer in peers) / load,
        f"fps_ratio_{count}": rate / max(peer[2] for peer in peers),
    }


if __name__ == "__main__":
    main()
