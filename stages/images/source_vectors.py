"""A table of vectors that some other model made, with whatever else is known of each row.

Formats: .parquet, .csv, .tsv, .jsonl, .npz, .npy, .safetensors. Guesses about columns are reported on the console.
"""

import contextlib
import io
import re
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from stages.common.errors import InputError
from stages.common.input_checks import MOST_UNPACKED, check_archive, is_file
from stages.common.samples_table import make_samples
from stages.common.settings import ImagesParams, LatentsParams
from stages.images.metadata_tables import (
    ENDINGS,
    classes_of_text,
    hint_at_numbers,
    numbers_of,
    read_table,
    splits_of,
    typed,
)
from stages.images.source_folder import read_pictures

FEWEST_VECTORS = 10
VECTOR_NAMES = ("latents", "vectors", "embeddings", "embedding", "features", "X", "x", "arr_0")
LABEL_NAMES = ("label", "labels", "class", "classes", "target", "targets", "y")
PICTURE_NAMES = ("image", "file_name")
ROW_NAMES = ("file_name", "image", "name", "title", "id")
BEGINNING = 50  # characters of a row's text that are part of its name
FEW_VALUES = 20  # different integers, up to which a column may be the class
UNEQUAL_SCALES = 100  # ratio of the columns' standard deviations from which on `standard` is suggested


class VectorTable(NamedTuple):
    """Vectors float32 (n, d), names of the dimensions, other columns (n rows), and images uint8 (n, h, w[, 3])."""

    vectors: np.ndarray
    names: list[str]
    columns: pd.DataFrame
    images: np.ndarray | None


def vector_samples(params: LatentsParams, pictures: ImagesParams) -> tuple[pd.DataFrame, dict[str, np.ndarray]]:
    """Return the samples of the table `params.source`, and the arrays of `data/images.npz`.

    Rows whose column `split` says so, or a random fraction, are for test. A column `image` or `file_name` of paths,
    relative to the table, brings pictures. Raises `InputError` that names the file and what is wrong.
    """
    path = Path(params.source)
    table = read_vectors(path, params.columns)
    order, split = row_order(table, params)
    columns = table.columns.drop(columns="split", errors="ignore")
    label = columns.pop("label") if "label" in columns else pd.Series(None, index=columns.index, dtype="object")
    labels, classes = classes_of_text(label)
    hint_at_numbers(classes, len(columns), path)
    names = row_names(columns, label if len(classes) == len(columns) else None)
    arrays = {"images": np.zeros((0, 1, 1), np.uint8)}
    if table.images is not None:
        arrays = {"images": table.images[order]}
    elif files := _picture_files(columns, path.parent):
        arrays = read_pictures(files, pictures).arrays(order)
    columns = columns.drop(columns="file_name", errors="ignore").iloc[order]
    return make_samples(split[order], [names[row] for row in order], labels[order], classes, columns), arrays


def vector_latents(params: LatentsParams) -> dict[str, np.ndarray]:
    """Return the scaled vectors of the table `params.source` in the order of the samples.

    The arrays of `data/latents.npz`: `latents` float32 (n, d), and what `fitmap place` needs to treat new vectors in
    the same way: `vector_columns` str (d,), `vector_mean` and `vector_scale` float32 (d,). Constant columns are left
    out.
    """
    path = Path(params.source)
    with contextlib.redirect_stdout(io.StringIO()):  # load_images has printed the guesses about the columns
        table = read_vectors(path, params.columns)
    order, split = row_order(table, params)
    vectors, names = table.vectors[order], table.names
    del table  # a wide one fills the memory
    training = vectors[: (split == "train").sum()]
    mean = training.mean(axis=0, dtype=np.float64)
    parts = [training[:, start : start + 1000] for start in range(0, vectors.shape[1], 1000)]  # bounds the memory
    spread = np.concatenate([part.std(axis=0, dtype=np.float64) for part in parts])
    varying = training.max(axis=0) > training.min(axis=0)
    if not varying.any():
        print(f"{path}: all vectors are equal, so the map shows nothing")
        varying[:] = True
    elif not varying.all():
        print(f"{path}: {_some(np.array(names)[~varying].tolist())} are the same in every row and left out")
        vectors, mean, spread = vectors[:, varying], mean[varying], spread[varying]
    _hint_at_scales(path, vectors, spread, params.scale)
    standard = params.scale == "standard"
    arrays = {
        "vector_columns": np.array(names, dtype=str)[varying],
        "vector_mean": (mean if standard else np.zeros_like(mean)).astype(np.float32),
        "vector_scale": (np.where(spread > 0, spread, 1) if standard else np.ones_like(spread)).astype(np.float32),
    }
    return {"latents": scale_vectors(vectors, arrays, params.scale)} | arrays


def scale_vectors(vectors: np.ndarray, arrays: dict[str, np.ndarray], scale: str) -> np.ndarray:
    """Scale vectors (n, d) as `latents.scale` says, with the mean and scale in `arrays`; returns float32 (n, d)."""
    if scale == "none":
        return vectors.astype(np.float32, copy=False)
    if scale == "unit":
        lengths = np.sqrt(np.einsum("nd,nd->n", vectors, vectors, dtype=np.float64))
        return (vectors / np.where(lengths > 0, lengths, 1)[:, None]).astype(np.float32)
    scaled = vectors - arrays["vector_mean"]
    scaled /= arrays["vector_scale"]
    return scaled.astype(np.float32, copy=False)


def row_order(table: VectorTable, params: LatentsParams) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows in the samples' order (n,), training rows first, each part in random order; and splits (n,)."""
    n = len(table.vectors)
    order = np.random.default_rng(0).permutation(n)
    if "split" in table.columns:
        split = splits_of(table.columns["split"], Path(params.source))
    else:
        split = np.full(n, "train", dtype="<U5")
        split[order[: max(min(round(n * params.test_fraction), n - FEWEST_VECTORS), 0)]] = "test"
    if (training := (split == "train").sum()) < FEWEST_VECTORS:
        raise InputError(f"{params.source} has {training} training rows, at least {FEWEST_VECTORS} are needed")
    return order[np.argsort(split[order] == "test", kind="stable")], split


def read_vectors(path: Path, wanted: list[str], fewest: int = FEWEST_VECTORS) -> VectorTable:
    """Read a table of vectors in the file's order.

    Args:
        path: the file.
        wanted: the columns that are the vector; empty: the column of lists, or every numeric column that is not an
            index or a class.
        fewest: rows below which the table is refused.

    Raises:
        InputError: naming the file, for damage, ambiguity, missing values, or fewer than two dimensions.
    """
    if not is_file(str(path)):
        raise InputError(f"params.yaml: latents.source = {str(path)!r} is missing or no file")
    if path.suffix.lower() in ENDINGS:
        table = _from_columns(path, read_table(path), wanted)
    else:
        table = _from_arrays(path, _read_arrays(path), wanted)
    _check(path, table.vectors, fewest)
    return table


def _from_columns(path: Path, table: pd.DataFrame, wanted: list[str]) -> VectorTable:
    table.columns = table.columns.map(str)
    missing = [name for name in wanted if name not in table]
    if missing:
        raise InputError(
            f"params.yaml: latents.columns names {missing[0]!r}, which {path} has not; found: {', '.join(table)[:300]}"
        )
    for name in [name for name in table if _holds_bytes(table[name])]:
        print(f"{path}: column `{name}` holds bytes and is ignored; a column of paths brings pictures")
        table = table.drop(columns=name)
    table = _drop_index(path, table, wanted)
    table = _name_label(path, table, wanted)
    table = table.apply(_parsed_lists)
    lists = [name for name in table if _holds_lists(table[name])]
    chosen = wanted or lists
    if len(lists) > 1 and not wanted:
        raise InputError(f"{path}: {', '.join(lists)} each hold vectors: set latents.columns in params.yaml to one")
    if not chosen:
        others = {"label", "split", *PICTURE_NAMES}
        chosen = [name for name in table if name not in others and _is_dimension(path, table, name)]
        if "label" not in table:
            _hint_at_class(path, table[chosen])
        _hint_at_odd_names(path, chosen)
    if chosen and all(name in lists for name in chosen):
        vectors = np.hstack([_stacked(path, name, table[name]) for name in chosen])
        names = [f"{name}[{i}]" for name in chosen for i in range(len(table[name].iloc[0]))]
    else:
        is_bool = table.dtypes.eq("bool")
        numbers = {name: table[name].astype(float) if is_bool[name] else numbers_of(table[name]) for name in chosen}
        for name in chosen:
            if numbers[name] is None:
                raise InputError(f"{path}: column {name[:60]!r} of latents.columns does not hold numbers")
        vectors, names = np.empty((len(table), len(chosen)), np.float32), chosen
        with np.errstate(over="ignore"):
            for i, name in enumerate(chosen):
                vectors[:, i] = numbers[name].to_numpy(dtype=np.float64, na_value=np.nan)
    columns = table.drop(columns=chosen)
    columns = columns.apply(lambda column: column if column.name in ("label", "split") else typed(column))
    print(f"{path}: {len(table)} vectors of {len(names)} dimensions; other columns: {', '.join(columns) or 'none'}")
    return VectorTable(vectors, names, columns, None)


def _drop_index(path: Path, table: pd.DataFrame, wanted: list[str]) -> pd.DataFrame:
    """Leave out an unnamed column of numbers, the index that pandas writes; an unnamed one of text holds names."""
    for name in table:
        if name in wanted or not (name == "" or name.startswith(("Unnamed:", "__index_level_"))):
            continue
        if numbers_of(table[name]) is not None:
            print(f"{path}: a column of numbers without a name is taken for an index, not for a dimension")
            table = table.drop(columns=name)
        elif "name" not in table:
            print(f"{path}: a column of text without a name is taken for the names of the rows")
            table = table.rename(columns={name: "name"})
    return table


def _name_label(path: Path, table: pd.DataFrame, wanted: list[str]) -> pd.DataFrame:
    """Name the column of classes `label`: `labels`, `class`, `target` or `y`, or the only one of text that repeats."""
    candidates = [name for known in LABEL_NAMES for name in table if name.lower() == known and name not in wanted]
    if "label" in table:
        return table
    for name in candidates:
        if _holds_classes(table, name):
            print(f"{path}: column `{name}` is taken for the class; call it `label`, or list it in latents.columns")
            return table.rename(columns={name: "label"})
    kept = ("split", *ROW_NAMES, *wanted)
    text = [name for name in table if name not in kept and pd.api.types.is_string_dtype(table[name])]
    most = min(max(FEW_VALUES, len(table) / 10), max(len(table) / 2, 1))
    repeated = [name for name in text if table[name].nunique() <= most and typed(table[name]).dtype == "category"]
    if len(repeated) == 1:
        print(f"{path}: column `{repeated[0]}` is taken for the class, as it alone holds text that repeats")
        return table.rename(columns={repeated[0]: "label"})
    if repeated:
        print(f"{path}: {_some(repeated)} hold text that repeats; if one is the class, call it `label`")
    return table


def _holds_classes(table: pd.DataFrame, name: str) -> bool:
    """Return whether a column repeats few values: text, or integers; `y` beside `x` is a coordinate."""
    column, numbers = table[name], numbers_of(table[name])
    if _holds_lists(column):
        return False
    if numbers is not None:
        known = numbers.dropna()
        if (name.lower() == "y" and "x" in map(str.lower, table)) or (known != known.round()).any():
            return False
    return column.nunique() <= max(len(column) / 2, 1)


def _is_dimension(path: Path, table: pd.DataFrame, name: str) -> bool:
    """Return whether a column is a dimension of the vector: numbers, but no index, no id and no target."""
    numbers = numbers_of(table[name])
    if numbers is None:
        _refuse_nearly_numbers(path, name, table[name])
        return False
    lower = name.lower()
    if lower in ("id", "index") or lower.endswith("_id") or re.search("[a-z]I[Dd]$", name):
        print(f"{path}: column `{name}` is not a dimension by its name; list it in latents.columns if it is one")
        return False
    if lower in LABEL_NAMES and not (lower == "y" and "x" in map(str.lower, table)):
        print(f"{path}: column `{name}` is not a dimension by its name; list it in latents.columns if it is one")
        return False
    steps = np.sort(numbers.to_numpy(dtype=np.float64, na_value=np.nan))
    if len(steps) >= FEWEST_VECTORS and steps[0] in (0, 1) and (np.diff(steps) == 1).all():
        print(f"{path}: column `{name}` counts the rows and is taken for an index, not for a dimension")
        return False
    return True


def _refuse_nearly_numbers(path: Path, name: str, column: pd.Series) -> None:
    """Raise `InputError` for a column of numbers with a few fields of other text."""
    if pd.api.types.is_string_dtype(column):
        wrong = (pd.to_numeric(column, errors="coerce").isna() & column.notna()).to_numpy()
        if 0 < wrong.sum() <= len(column) / 10:
            row = int(wrong.argmax())
            raise InputError(
                f"{path}: column {name[:60]!r} holds numbers, but {column.iloc[row][:60]!r} in row {row + 1}: "
                "correct it, or list the columns of the vector in latents.columns"
            )


def _holds_bytes(column: pd.Series) -> bool:
    first = column.iloc[0] if len(column) else None
    return isinstance(first, bytes) or (isinstance(first, dict) and any(isinstance(v, bytes) for v in first.values()))


def _hint_at_class(path: Path, dimensions: pd.DataFrame) -> None:
    """Name the columns of few integers among dimensions of decimals: one may be the class."""
    numbers = dimensions.apply(numbers_of)
    whole = [name for name in numbers if (numbers[name] == numbers[name].round()).all()]
    few = [name for name in whole if numbers[name].nunique() <= min(FEW_VALUES, len(numbers) / 5)]
    if few and len(whole) < numbers.shape[1] / 2:
        print(f"{path}: {_some(few)} of few integers are dimensions; if one is the class, call it `label`")


def _hint_at_odd_names(path: Path, names: list[str]) -> None:
    """Name the few dimensions that are called otherwise than `f0`, `f1`, …: one may be a column about the rows."""
    stems = [name.rstrip("0123456789") for name in names]
    usual = max(set(stems), key=lambda stem: (stems.count(stem), stem), default="")
    odd = [name for name, stem in zip(names, stems, strict=True) if stem != usual]
    if 0 < len(odd) <= len(names) / 4:
        others = f"{usual}0, {usual}1, …" if usual else "the numbered ones"
        print(f"{path}: dimensions beside {others}: {_some(odd)}; if they are none, list the others in latents.columns")


def _parsed_lists(column: pd.Series) -> pd.Series:
    """Return a column of lists written as text, `[0.1, 0.2]`, `[0.1 0.2]` or `(0.1, 0.2)`, as lists."""
    first = str(column.iloc[0] if len(column) else "")
    if not pd.api.types.is_string_dtype(column) or not first.startswith(("[", "(")):
        return column
    if re.search(r"\d\s+\.\.\.\s", first):
        raise InputError(f"column {str(column.name)[:60]!r} holds lists cut by `...`: save them as Parquet")
    try:
        lists = [[float(number) for number in re.split(r"[,\s]+", value.strip("[]() \n"))] for value in column]
    except (ValueError, TypeError, AttributeError):
        return column
    return pd.Series(lists, index=column.index, dtype="object", name=column.name)


def _holds_lists(column: pd.Series) -> bool:
    if not pd.api.types.is_object_dtype(column) or not len(column):
        return False
    first = column.iloc[0]
    return isinstance(first, list | np.ndarray) and len(first) > 1 and np.asarray(first).dtype.kind in "fiu"


def _stacked(path: Path, name: str, column: pd.Series) -> np.ndarray:
    lengths = column.map(lambda value: len(value) if isinstance(value, list | np.ndarray) else -1)
    if (lengths != lengths.iloc[0]).any():
        row = int((lengths != lengths.iloc[0]).to_numpy().argmax())
        raise InputError(f"{path}: `{name}` of row {row + 1} has another length than that of row 1")
    with np.errstate(over="ignore"):
        return np.stack([np.asarray(value, dtype=np.float32) for value in column])


def _from_arrays(path: Path, arrays: dict[str, np.ndarray], wanted: list[str]) -> VectorTable:
    tables = {name: array for name, array in arrays.items() if array.ndim == 2 and array.dtype.kind in "fiu"}
    names = wanted or next(([name] for name in VECTOR_NAMES if name in tables), list(tables))
    if len(names) != 1 or names[0] not in tables:
        found = ", ".join(f"{name} {array.shape}" for name, array in list(arrays.items())[:8])
        raise InputError(
            f"{path} needs one array `latents` (n, d) of numbers (latents.columns names another); found: {found}"
        )
    vectors = tables[names[0]]
    n, columns, images = len(vectors), {}, None
    for name, array in arrays.items():
        if name == names[0]:
            continue
        is_stack = array.ndim in (3, 4) and array.shape[3:] in ((), (3,))
        if is_stack and array.dtype == np.uint8 and len(array) == n and array.size:
            images = array
        elif array.shape == (n,) and array.dtype.kind in "biufUSM":
            columns[name] = np.char.decode(array, errors="backslashreplace") if array.dtype.kind == "S" else array
        elif name in ("label", "labels", "images"):
            raise InputError(
                f"{path}: {name} are {array.dtype} {array.shape}, needed are "
                + (f"uint8 ({n}, height, width[, 3])" if name == "images" else f"a name or number for each of {n} rows")
            )
        else:
            print(f"{path}: array `{name}` {array.dtype} {array.shape} is ignored; columns have the shape ({n},)")
    table = pd.DataFrame({name: pd.Series(array) for name, array in columns.items()}, index=range(n))
    table = _name_label(path, table, [])
    table = table.apply(lambda column: column if column.name in ("label", "split") else typed(column))
    with np.errstate(over="ignore"):
        vectors = vectors.astype(np.float32)
    print(f"{path}: {n} vectors of {vectors.shape[1]} dimensions; other columns: {', '.join(table) or 'none'}")
    return VectorTable(vectors, [f"{names[0]}[{i}]" for i in range(vectors.shape[1])], table, images)


def _read_arrays(path: Path) -> dict[str, np.ndarray]:
    """Return the arrays of a .npz, .npy or .safetensors file; pickled objects are refused."""
    try:
        if path.suffix.lower() == ".npy":
            return {"latents": np.load(path, allow_pickle=False, mmap_mode="r")}
        if path.suffix.lower() == ".safetensors":
            import safetensors.numpy

            return safetensors.numpy.load_file(path)
        check_archive(str(path), most=8 * MOST_UNPACKED)
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        if not all(isinstance(array, np.ndarray) for array in arrays.values()):
            raise ValueError("it holds something that is not an array")
        return arrays
    except InputError:
        raise
    except Exception as error:  # a damaged file fails in many ways
        remedy = ": save text as np.array(names, dtype=str)" if "allow_pickle" in str(error) else ""
        raise InputError(f"{path} cannot be read as {path.suffix} without pickled objects ({error}){remedy}") from None


def _check(path: Path, vectors: np.ndarray, fewest: int) -> None:
    if vectors.shape[1:] == (0,):
        raise InputError(
            f"{path} has no columns of numbers and none of lists such as [0.1, 0.2]: give each row its "
            "vector, or list columns of true and false in latents.columns"
        )
    if vectors.ndim != 2 or vectors.shape[1] < 2:
        raise InputError(
            f"{path}: vectors have the shape {vectors.shape}, needed is (n, d) with d >= 2: "
            "list its columns in latents.columns"
        )
    if len(vectors) < fewest:
        raise InputError(f"{path} has {len(vectors)} vectors, at least {fewest} are needed")
    bad = np.flatnonzero(~np.isfinite(vectors).all(axis=1))
    if bad.size:
        raise InputError(
            f"{path}: {bad.size} of {len(vectors)} rows have a missing value or one that is no finite float32, the "
            f"first is row {bad[0] + 1}: fill the values in, or leave their column out with latents.columns"
        )


def _hint_at_scales(path: Path, vectors: np.ndarray, spread: np.ndarray, scale: str) -> None:
    widest = vectors[:, spread.argmax()].astype(np.float64)
    low, middle, high = np.quantile(widest, [0.05, 0.5, 0.95])
    wild = np.flatnonzero(np.abs(widest - middle) > UNEQUAL_SCALES * (high - low)) if high > low else []
    spread = spread[spread > 0]
    if len(wild):
        print(f"{path}: {len(wild)} values such as {widest[wild[0]]:g} are far from all others of their column")
    elif scale == "none" and len(spread) and spread.max() > UNEQUAL_SCALES * spread.min():
        print(
            f"{path}: the columns' scales differ by a factor of {spread.max() / spread.min():,.0f}, so the largest "
            "column decides alone: set latents.scale in params.yaml to standard"
        )
    lengths = np.sqrt(np.einsum("nd,nd->n", vectors, vectors, dtype=np.float64))
    if scale != "unit" and (np.abs(lengths - 1) < 1e-3).mean() > 0.99:
        print(
            f"{path}: nearly all rows have length 1, as embeddings of text and images do: latents.scale none or unit "
            "makes neighbours those of the cosine, standard does not"
        )


def row_names(columns: pd.DataFrame, label: pd.Series | None) -> list[str]:
    """Return a name for each row: from a column of names, or else its number in the file, counted from 1.

    Behind the number stands the beginning of the row's text, if there is a column of text.
    """
    for name in ROW_NAMES:
        if name in columns and (name in PICTURE_NAMES or columns[name].nunique() > len(columns) / 2):
            return [f"row {i + 1}" if pd.isna(value) else str(value) for i, value in enumerate(columns[name])]
    if label is not None:
        return [str(value) for value in label]
    others = (columns[name] for name in columns if name not in ("label", "split"))
    text = next((column for column in others if pd.api.types.is_string_dtype(column)), [None] * len(columns))
    return [f"row {i + 1}" + (f": {_beginning(value)}" if not pd.isna(value) else "") for i, value in enumerate(text)]


def _beginning(text: str) -> str:
    """Return the first characters of a text, in one line."""
    line = " ".join(text[: 4 * BEGINNING].split())
    return line if len(line) <= BEGINNING else line[: BEGINNING - 1].rstrip() + "…"


def _picture_files(columns: pd.DataFrame, folder: Path) -> list[Path]:
    """Return the picture of each row, if a column of paths names any that exists."""
    for name in PICTURE_NAMES:
        if name in columns and not pd.api.types.is_numeric_dtype(columns[name]):
            files = [folder / str(value) for value in columns[name]]
            if any(is_file(str(file)) for file in files):
                return files
            print(f"column `{name}` names no file beside the table ({files[0]} is missing), so the map has no pictures")
    return []


def _some(names: list[str]) -> str:
    return f"{len(names)} columns ({', '.join(names[:3])}{', …' if len(names) > 3 else ''})"
