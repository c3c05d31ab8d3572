"""The samples' own columns, packed by type.

A number takes a float32 (float64 if float32 would change an integer), a date its milliseconds since 1970 as float64, a
category the index of its name. Other text is a list of strings. Each column is then deflated.
"""

import re

import numpy as np
import pandas as pd

from stages.page.pack_bytes import deflated, deflated_strings

LONGEST_TEXT = 10_000  # characters of one value; what is longer is cut and ends with "…"
FEW_CATEGORIES = 100  # a text column with at most so many values is one of categories …
REPEATED = 0.5  # … and one whose distinct values are at most this share of its rows, too
ADDRESS = re.compile(r"https?://\S+$", re.IGNORECASE)


def pack_column(name: str, values: pd.Series) -> tuple[dict, bytes]:
    """Return the header of a column (name, type, dtype, categories) and its deflated values."""
    header = {"name": str(name)}
    if isinstance(values.dtype, pd.CategoricalDtype):
        return _packed_categories(header, values)
    if pd.api.types.is_bool_dtype(values.dropna().infer_objects().dtype) and values.notna().any():
        return _packed_categories(header, values.map({True: "yes", False: "no"}).astype("category"))
    if pd.api.types.is_numeric_dtype(values.dtype):
        numbers = values.to_numpy(np.float64, na_value=np.nan)
        numbers = np.where(np.isfinite(numbers), numbers, np.nan)
        whole = bool((numbers == np.rint(numbers))[np.isfinite(numbers)].all())
        exact = not whole or not (np.abs(numbers) > 1 << 24).any()
        return _packed_numbers(header | {"type": "number"}, numbers.astype("<f4" if exact else "<f8"))
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        times = pd.to_datetime(values, utc=True).dt.tz_localize(None).to_numpy("datetime64[ms]")
        numbers = np.where(np.isnat(times), np.nan, times.astype(np.int64).astype("<f8"))
        return _packed_numbers(header | {"type": "date"}, numbers)
    texts = values.map(lambda value: shortened(str(value)), na_action="ignore").astype("object")
    known = texts.dropna()
    if len(known) and known.map(lambda text: bool(ADDRESS.match(text))).all():
        return header | {"type": "link"}, deflated_strings(texts.where(texts.notna(), "").tolist())
    distinct = known.nunique()
    if distinct <= FEW_CATEGORIES or distinct <= REPEATED * len(known):
        return _packed_categories(header, texts.astype("category"))
    return header | {"type": "text"}, deflated_strings(texts.where(texts.notna(), "").tolist())


def category_codes(values: pd.Series) -> np.ndarray:
    """Return the codes of a categorical column: 0 if missing, else 1 + the category's index; uint8, uint16 or int32."""
    codes = values.cat.codes.to_numpy(np.int64) + 1
    count = len(values.cat.categories)
    return codes.astype("<u1" if count < 1 << 8 else "<u2" if count < 1 << 16 else "<i4")


def shortened(text: str) -> str:
    """Cut a text at `LONGEST_TEXT` characters."""
    return text if len(text) <= LONGEST_TEXT else text[:LONGEST_TEXT] + "…"


def _packed_categories(header: dict, values: pd.Series) -> tuple[dict, bytes]:
    names = [shortened(str(name)) for name in values.cat.categories]
    codes = category_codes(values)
    return header | {"type": "category", "dtype": str(codes.dtype), "categories": names}, deflated(codes)


def _packed_numbers(header: dict, numbers: np.ndarray) -> tuple[dict, bytes]:
    return header | {"dtype": str(numbers.dtype)}, deflated(numbers)
