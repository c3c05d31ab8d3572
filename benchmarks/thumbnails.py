"""The image map beside the usual way to draw one: a matplotlib AnnotationBbox for each image.

Both make the same picture, from arrays to the pixels of the whole canvas: images in tints of their classes on the dark
background, those without room as dots. Ours is `compose_map` with all it does, its search for free places included.
The other is told the places that ours has found, and draws an OffsetImage in an AnnotationBbox for each image there and
the dots by one scatter. They take turns, medians are taken.

That the pictures are the same is measured too, as mean difference in parts of the full intensity and as the share of
pixels that differ by more than a quarter of it; the benchmark fails where this is more than antialiasing explains.
"""

import argparse
import json
import os
import platform
import statistics
import sys
import time
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.offsetbox import AnnotationBbox, OffsetImage
from PIL import Image

from stages.common.colours import class_colour
from stages.figures.map_images import GAMMA, by_grid, compose_map, shown_boxes, spread_out, tint, to_pixels
from stages.figures.style import NIGHT
from stages.images.garments.garments import CLASS_NAMES, draw_garments

PIXELS, TILE = 2400, 40  # those of the pipeline
DPI = 100
MEAN_DIFFERENCE, DIFFERENT_PIXELS = 0.01, 0.01  # at most


def garments(count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Positions float32 (n, 2) around those of their classes, drawn garments uint8 (n, 28, 28), labels."""
    images, labels, _ = draw_garments(count, seed=0)
    angles = 2 * np.pi * labels / len(CLASS_NAMES)
    scatter = np.random.default_rng(0).normal(0, 12, (count, 2))
    return (40 * np.column_stack([np.cos(angles), np.sin(angles)]) + scatter).astype(np.float32), images, labels


def places(positions: np.ndarray, images: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    """What `compose_map` finds: all centres, the rows it draws, their centres there, and the canvas height."""
    centres, height = to_pixels(positions, PIXELS, TILE)
    rows, moves = spread_out(shown_boxes(images, centres, TILE), by_grid(centres, TILE), TILE, (height, PIXELS))
    return centres, rows, centres[rows] + moves, height


def annotated_map(
    images: np.ndarray, labels: np.ndarray, centres: np.ndarray, rows: np.ndarray, drawn_at: np.ndarray, height: int
) -> np.ndarray:
    """The same picture by matplotlib, uint8 (height, PIXELS, 3)."""
    figure = Figure((PIXELS / DPI, height / DPI), dpi=DPI, facecolor=NIGHT)
    canvas = FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set(xlim=(0, PIXELS), ylim=(height, 0))
    colours = np.array([tint(class_colour(label)) for label in range(labels.max() + 1)])
    dot = (2 * 72 / DPI) ** 2  # two pixels a side
    axes.scatter(*(centres + 1).T, s=dot, c=colours[labels], marker="s", alpha=0.5, linewidths=0)
    for row, place in zip(rows, drawn_at, strict=True):
        picture = np.empty((*images[row].shape, 4))
        picture[..., :3] = colours[labels[row]]
        picture[..., 3] = (images[row] / 255) ** GAMMA
        zoom = TILE / max(images[row].shape)
        box = OffsetImage(picture, zoom=zoom, dpi_cor=False, interpolation="lanczos")
        axes.add_artist(AnnotationBbox(box, place, frameon=False, pad=0))
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="end with one line of JSON")
    parser.add_argument("--rounds", type=int, default=3, help="measurements of each, in turns (3)")
    parser.add_argument("--images", type=int, default=6000, help="images on the map (6000)")
    parser.add_argument("--pictures", type=Path, help="a folder in which to keep both pictures")
    options = parser.parse_args()

    positions, images, labels = garments(options.images)
    found = places(positions, images)
    seconds, pictures = {"fitmap": [], "matplotlib": []}, {}
    for _ in range(options.rounds):
        for name, draw in (
            ("fitmap", lambda: compose_map(positions, images, labels, PIXELS, TILE)[0]),
            ("matplotlib", lambda: annotated_map(images, labels, *found)),
        ):
            start = time.perf_counter()
            pictures[name] = draw()
            seconds[name].append(time.perf_counter() - start)
            print(f"{name:12} {seconds[name][-1]:7.3f} s", flush=True)
    if options.pictures:
        for name, picture in pictures.items():
            Image.fromarray(picture).save(options.pictures / f"{name}.png")
    difference = np.abs(pictures["fitmap"].astype(int) - pictures["matplotlib"]).max(axis=2) / 255
    medians = {name: statistics.median(times) for name, times in seconds.items()}
    figures = {
        "speedup": round(medians["matplotlib"] / medians["fitmap"], 2),
        "seconds_fitmap": round(medians["fitmap"], 4),
        "seconds_matplotlib": round(medians["matplotlib"], 4),
        "images_drawn": len(found[1]),
        "mean_difference": round(float(difference.mean()), 5),
        "different_pixels": round(float((difference > 0.25).mean()), 5),
    }
    for name, value in figures.items():
        print(f"{name:20} {value:10.4f}")
    if options.json:
        machine = {"cpus": os.cpu_count(), "machine": platform.machine(), "python": platform.python_version()}
        print(json.dumps({"benchmark": "thumbnails", "machine": machine, "figures": figures}))
    if figures["mean_difference"] > MEAN_DIFFERENCE or figures["different_pixels"] > DIFFERENT_PIXELS:
        sys.exit("the two pictures are not the same")


if __name__ == "__main__":
    main()
