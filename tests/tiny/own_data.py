"""Points, photographs and vectors as people have them."""

import numpy as np
import pandas as pd
from PIL import Image

from stages.images.garments.garments import draw_garments

TINTS = {"shoes": (255, 160, 60), "others": (80, 160, 255)}


def write_points(path, n=400):
    generator = np.random.default_rng(0)
    x = generator.uniform(0, 5, n)
    y = np.sin(2 * x) + generator.normal(0, 0.1, n)
    pd.DataFrame({"x": x, "y": y}).to_csv(path, index=False)


def write_photographs(folder, class_of=None, n=240):
    """Write garments in colour, of many sizes and formats, `shoes` and `others` (or as `class_of` says)."""
    images, labels, _ = draw_garments(n, seed=5)
    for i, (image, label) in enumerate(zip(images, labels, strict=True)):
        name = "shoes" if label in (5, 7, 9) else "others"
        tinted = (image[..., None] / 255 * TINTS[name]).astype(np.uint8)
        picture = Image.fromarray(tinted).resize((40 + 7 * (i % 5), 40 + 5 * (i % 3)))
        path = folder / (class_of(i) if class_of else name) / f"{i}.{('png', 'jpg', 'tif')[i % 3]}"
        path.parent.mkdir(parents=True, exist_ok=True)
        picture.convert(("RGBA", "RGB", "CMYK")[i % 3]).save(path)


def write_songs(path, n=267):
    """Write songs in three planted groups, whose features have scales from 0.01 to 100."""
    generator = np.random.default_rng(1)
    group = np.arange(n) % 3
    features = (generator.normal(size=(3, 10))[group] * 2 + generator.normal(size=(n, 10))) * np.geomspace(
        0.01, 100, 10
    )
    table = pd.DataFrame(features.astype(np.float32), columns=[f"feature {i}" for i in range(10)])
    table["label"], table["title"] = [f"group {i}" for i in group], [f"Song no. {i}" for i in range(n)]
    table["artist"] = [f"Artist {i % 40}" for i in range(n)]
    table.to_parquet(path)
