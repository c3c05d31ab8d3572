"""A folder of image files in the layout of torchvision's and Hugging Face's `ImageFolder`.

photos/cat/1.jpg                      one folder for each class, or none
photos/train/cat/1.jpg                splits above them: train, test, val
photos/metadata.csv                   optional table: file_name, label, split and any other columns
"""

import os
import re
import sys
import unicodedata
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import numpy as np
import pandas as pd

from stages.common.artifacts import on_disk
from stages.common.errors import InputError
from stages.common.progress import progress
from stages.common.samples_table import COLUMNS, make_samples
from stages.common.settings import ImagesParams
from stages.images.decode_images import endings, is_grey, range_used, read_squares, scale, side_of, to_grey_array
from stages.images.metadata_tables import (
    ENDINGS,
    SPLITS,
    classes_of_text,
    hint_at_numbers,
    read_table,
    splits_of,
    typed,
)

PHOTOGRAPH_PIXELS, SMALL_PIXELS = 64, 32  # what `pixels: auto` means; the second if no image is larger
FEWEST_IMAGES = 10
METADATA = {f"metadata{ending}" for ending in ENDINGS}
FILE_NAMES = ("file_name", "filename", "file", "path", "image", "image_path")
IGNORED = {"__MACOSX", "Thumbs.db", "desktop.ini"}
NEARLY_BLACK = 20  # level
WRAPPERS = ("image", "images", "img", "imgs", "data")  # folders that are no class
MOST_NAMED, MOST_LINES = 3, 20


class Pictures(NamedTuple):
    """Decoded files: `colours` uint8 (n, p, p, 3), on disk; which rows are `broken`; whether they are wanted `grey`.

    `levels`: which values of images of more than 8 bits became 0 and 255; None if there are no such images.
    """

    colours: np.ndarray
    broken: list[int]
    grey: bool
    levels: tuple[float, float] | None

    def arrays(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        """Return the arrays of `data/images.npz`: images uint8 (m, p, p[, 3]) of these rows (m,), and `levels`."""
        images = on_disk((len(rows), *self.colours.shape[1 : 3 if self.grey else 4]), np.uint8)
        for start in range(0, len(rows), 1000):
            part = self.colours[rows[start : start + 1000]]
            images[start : start + 1000] = to_grey_array(part) if self.grey else part
        return {"images": images} | ({} if self.levels is None else {"levels": np.array(self.levels, np.float32)})


def folder_images(params: ImagesParams) -> tuple[pd.DataFrame, dict[str, np.ndarray]]:
    """Read every image below `params.source`.

    Training rows and test rows are each in random order (by the seed). Files that are left out are counted and named
    on the console.

    Returns:
        The samples, and the arrays of `data/images.npz`.

    Raises:
        InputError: for a missing folder, too few images, unusable metadata, or unreadable images (unless
            `on_broken: skip`).
    """
    folder = Path(params.source)
    if not os.path.isdir(folder):
        raise InputError(
            f"params.yaml: images.source = {params.source!r} is no folder: use drawn, fashion-mnist or a folder"
        )
    files = list_images(folder)
    table, file_rows = describe_files(files, folder, params.label)
    pictures = read_pictures([folder / files[row] for row in file_rows], params, folder)
    readable = np.setdiff1d(np.arange(len(file_rows)), pictures.broken)
    table = table.iloc[readable].reset_index(drop=True)
    if len(table) < FEWEST_IMAGES:
        raise InputError(f"{folder} holds {len(table)} readable images, at least {FEWEST_IMAGES} are needed")
    split = table["split"].to_numpy(dtype="object", copy=True)
    order = np.random.default_rng(params.seed).permutation(len(table))
    if table["split"].isna().all():
        test = min(round(params.test_fraction * len(table)), len(table) - FEWEST_IMAGES)
        split[order] = np.where(np.arange(len(table)) < test, "test", "train")
    order = order[np.argsort(split[order] == "test", kind="stable")]
    if (training := (split == "train").sum()) < FEWEST_IMAGES:
        raise InputError(f"{folder} holds {training} training images, at least {FEWEST_IMAGES} are needed")
    labels, classes = classes_of_text(table["label"])
    hint_at_numbers(classes, len(table), folder)
    columns = table.drop(columns=list(COLUMNS)).iloc[order]
    samples = make_samples(split[order], list(table["file_name"].iloc[order]), labels[order], classes, columns)
    return samples, pictures.arrays(readable[order])


def list_images(folder: Path) -> list[str]:
    """Return the image files below `folder`, relative to it and sorted; print which other files are left out."""
    files, left_out = [], []
    for place, folders, names in os.walk(folder):
        links = [name for name in folders if os.path.islink(os.path.join(place, name))]
        folders[:] = sorted(name for name in folders if name[0] != "." and name not in IGNORED)
        for name in names + links:
            path = os.path.relpath(os.path.join(place, name), folder)
            if name in links:
                left_out.append(("a linked folder", path))
            elif os.path.splitext(name)[1].lower() in endings() and name[0] != ".":
                files.append(path)
            elif name[0] != "." and name not in IGNORED | METADATA:
                left_out.append((os.path.splitext(name)[1].lower(), path))
    for ending in sorted({ending for ending, _ in left_out}):
        names = [path for other, path in left_out if other == ending]
        kind = f"{ending}; the table of the images is metadata{ending}" if ending in ENDINGS else ending
        _note(names, f"files left out, {kind or 'without an ending'}")
    return sorted(PurePosixPath(Path(path)).as_posix() for path in files)


def describe_files(files: list[str], folder: Path, label: str) -> tuple[pd.DataFrame, list[int]]:
    """Return what folders and metadata say about image files (paths relative to `folder`).

    Args:
        files: paths below `folder`, with `/`.
        folder: where the metadata files are looked for.
        label: name of the metadata column that is the class.

    Returns:
        A table with `split` (missing if unknown), `file_name`, `label` and the metadata's columns, and for each row
        which of `files` it is about.
    """
    metadata = _read_metadata(folder)
    inner = _unwrapped(files, metadata)
    names = pd.Series(map(_shown, files), dtype="str")
    rows, split, below = list(range(len(files))), [None] * len(files), inner
    if split_of := _split_folders(inner):
        rows = [row for row in rows if len(inner[row]) > 1 and inner[row][0] in split_of]
        _note([files[row] for row in set(range(len(files))) - set(rows)], "images left out, in no split")
        split = [split_of[inner[row][0]] for row in rows]
        below = [inner[row][1:] for row in rows]
        while all(len(path) > 1 and path[0].lower() in (*WRAPPERS, *map(str.lower, split_of)) for path in below):
            below = [path[1:] for path in below]
    class_folder = pd.Series([_shown(path[0]) if len(path) > 1 else None for path in below], dtype="str")
    table = pd.DataFrame({"split": split, "file_name": names[rows].reset_index(drop=True), "label": class_folder})
    if metadata is None:
        if label != "label":
            raise InputError(f"params.yaml: images.label = {label!r}, but {folder} has no metadata.csv")
        return table, rows
    columns = _matched(metadata, table["file_name"], folder)
    if label != "label" and label not in columns:
        raise InputError(
            f"params.yaml: images.label = {label!r} is no column of the metadata; found: {', '.join(columns)[:300]}"
        )
    if label in columns:
        table["label"] = columns.pop(label)
    elif class_folder.nunique() < 2:
        table["label"] = None  # a single folder beside the metadata is no class
    if "split" in columns:
        table["split"] = splits_of(columns.pop("split"), folder / "metadata")
    categories = [name for name in columns if typed(columns[name]).dtype == "category"]
    if table["label"].isna().all() and categories:
        print(f"no image has a class: if `{'` or `'.join(categories[:MOST_NAMED])}` is it, set images.label to that")
    columns = columns.rename(columns={name: f"{name} (metadata)" for name in ("label", "file_name") if name in columns})
    return pd.concat([table, columns.apply(typed)], axis=1), rows


def read_pictures(paths: list[Path], params: ImagesParams, folder: Path | None = None) -> Pictures:
    """Decode files on every core, each as a square; a broken file becomes black.

    Raises `InputError` if some are broken, unless `params.on_broken` is `skip`; each broken file is named on stderr.
    """
    pixels = params.pixels
    if pixels == "auto":
        small = not any(side_of(path) > SMALL_PIXELS for path in paths)
        pixels = SMALL_PIXELS if small else PHOTOGRAPH_PIXELS
    colours = on_disk((len(paths), pixels, pixels, 3), np.uint8)
    store, deep, spans, errors, all_grey, brightest = None, {}, [], {}, True, 0
    squares = read_squares(paths, pixels, params.fit, folder)
    for row, square in enumerate(progress(squares, "reading images", unit="image", total=len(paths))):
        if isinstance(square, InputError):
            errors[row] = str(square)
        elif square.span is not None:
            if store is None:
                store = on_disk((3, len(paths), pixels, pixels), np.float32)  # of grey images only a third is written
            deep[row] = store[: square.pixels.shape[2], row].transpose(1, 2, 0)
            deep[row][:] = square.pixels
            spans.append(square.span)
        else:
            colours[row] = square.pixels
            brightest = max(brightest, int(square.pixels.max()))
            all_grey = all_grey and is_grey(square.pixels)
    levels = range_used(spans) if spans else None
    for row, values in deep.items():
        colours[row] = scale(values, *levels)
        all_grey = all_grey and is_grey(colours[row])
    _report(list(errors.values()), len(paths), params.on_broken)
    if not spans and len(errors) < len(paths) and brightest < NEARLY_BLACK:
        print(f"no image has a level above {brightest} of 255: their files use few of their 8 bits")
    return Pictures(colours, list(errors), params.colour == "grey" or (params.colour == "auto" and all_grey), levels)


def _report(errors: list[str], total: int, on_broken: str) -> None:
    lines = errors[:MOST_LINES] + [f"and {len(errors) - MOST_LINES} more"] * (len(errors) > MOST_LINES)
    for line in lines if on_broken == "skip" else lines[1:]:
        print(f"{'skipped' if on_broken == 'skip' else 'broken'}: {line}", file=sys.stderr)
    if errors and on_broken == "refuse":
        raise InputError(
            f"{errors[0]}; {len(errors)} of {total} images cannot be read: remove them or set images.on_broken to skip"
        )


def _shown(name: str) -> str:
    """Return a file name as text that UTF-8 can hold; bytes that are not UTF-8 become `\\xff`."""
    return os.fsencode(name).decode(errors="backslashreplace")


def _unwrapped(files: list[str], metadata: pd.DataFrame | None) -> list[tuple[str, ...]]:
    """Return the parts of each path below the folders that wrap all images, such as `photos` in photos/cat/1.jpg."""
    inner = [PurePosixPath(file).parts for file in files]
    while len({path[0] for path in inner}) == 1 and min(map(len, inner)) > 1:
        if max(map(len, inner)) == 2 and metadata is None and inner[0][0].lower() not in WRAPPERS:
            break  # a single class
        inner = [path[1:] for path in inner]
    if min(map(len, inner), default=0) > 2 and {"train", "test"} <= {SPLITS.get(path[1].lower()) for path in inner}:
        inner = [(path[1], path[0], *path[2:]) for path in inner]  # splits below the classes
    return inner


def _split_folders(inner: list[tuple[str, ...]]) -> dict[str, str]:
    """Return which split each of the outermost folders is, if they are splits: a training one and another.

    They are called as in `SPLITS`; or each of them has such a word in its name, as `train_set` and `test images` do.
    """
    names = {path[0] for path in inner if len(path) > 1}
    exact = {name: SPLITS[name.lower()] for name in names if name.lower() in SPLITS}
    words = {name: [word.removesuffix("set") for word in re.split(r"[\W_]+", name.lower())] for name in names}
    loose = {name: SPLITS[word] for name in names for word in words[name] if word in SPLITS}
    for found in (exact, loose if len(loose) == len(names) else {}):
        if {"train", "test"} <= set(found.values()):
            return found
    return {}


def _read_metadata(folder: Path) -> pd.DataFrame | None:
    """Return the rows of all metadata files below `folder`, `file_name` relative to `folder`; None without any."""
    tables = []
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name[0] != ".")
        for name in sorted(METADATA.intersection(names)):
            path = Path(place, name)
            table = read_table(path)
            column = next((known for known in FILE_NAMES if known in table), None)
            if column is None:
                raise InputError(f"{path} has no column `file_name`; found: {', '.join(map(str, table))[:300]}")
            if column != "file_name":
                print(f"{path}: column `{column}` names the files")
            below = Path(place).relative_to(folder).as_posix()
            paths = table.pop(column).fillna("").astype("str").str.replace("\\", "/")
            table.insert(0, "file_name", [PurePosixPath(below, path.lstrip("/")).as_posix() for path in paths])
            tables.append(table)
    return pd.concat(tables, ignore_index=True) if tables else None


def _matched(metadata: pd.DataFrame, names: pd.Series, folder: Path) -> pd.DataFrame:
    """Return the metadata's other columns, a row for each of `names`; count rows and files without a partner."""
    keys = metadata["file_name"].map(_key)
    twice = keys.duplicated()
    _note(list(metadata["file_name"][twice]), "metadata rows left out, an earlier row names the same file")
    row_of = pd.Series(metadata.index[~twice], index=keys[~twice])
    rows = row_of.reindex(names.map(_key))
    without_file = ~row_of.index.isin(rows.index)
    _note(list(row_of.index[without_file]), "metadata rows without an image")
    _note(list(names[rows.isna().to_numpy()]), "images without a metadata row")
    if rows.isna().all():
        raise InputError(
            f"{folder}: no `file_name` of the metadata is an image there; the first is {row_of.index[0]!r}, the first "
            f"image {names.iloc[0]!r}: write paths relative to the metadata file, with their endings"
        )
    return metadata.drop(columns="file_name").reindex(rows.to_numpy()).reset_index(drop=True)


def _key(name: str) -> str:
    return unicodedata.normalize("NFC", name)  # macOS decomposes Korean and accented names


def _note(names: list[str], message: str) -> None:
    if names:
        listed = ", ".join(map(_shown, sorted(names)[:MOST_NAMED])) + ", …" * (len(names) > MOST_NAMED)
        print(f"{message}: {len(names)} ({listed})")
