"""Classes and tags that were given on the map page, merged over those of the source."""

import csv
import re

import pandas as pd

from stages.common.errors import InputError
from stages.common.input_checks import check_table, is_file
from stages.common.samples_table import classes_of

NONE = "none"  # the setting's value without such a file
ESCAPED = re.compile(r"^'+[=+\-@\t\r]")  # one apostrophe keeps a spreadsheet from taking the text for a formula
NAMED = 3  # names that match nothing, told by name


def merge_labels(samples: pd.DataFrame, path: str) -> pd.DataFrame:
    """Return the samples with the classes and tags of a `labels.csv` and print how many changed.

    The file has columns `file_name`, `label` (empty: no class) and, optionally, `tags`. Classes that are new follow the
    known ones. Tags become a column `tags`. Raises `InputError` if the file cannot be read or lacks a column.
    """
    labels = read_labels(path)
    rows = {name: row for row, name in enumerate(samples["file_name"])}
    given = labels[labels["file_name"].isin(rows)]
    at = given["file_name"].map(rows).to_numpy(dtype=int)
    classes = list(dict.fromkeys([*classes_of(samples), *given["label"][given["label"] != ""]]))
    label = samples["label"].astype("object").where(samples["label"].notna(), "").astype("str")
    changed = int((label.to_numpy()[at] != given["label"].to_numpy()).sum())
    label.iloc[at] = given["label"].to_numpy()
    merged = samples.assign(label=pd.Categorical(label.where(label != ""), categories=classes))
    tagged = int((given["tags"] != "").sum())
    if tagged:
        tags = (
            merged["tags"].astype("object").copy()
            if "tags" in merged
            else pd.Series([None] * len(merged), dtype="object")
        )
        tags.iloc[at] = given["tags"].where(given["tags"] != "", None).to_numpy()
        merged["tags"] = tags
    print(f"{path}: {changed} classes changed, {tagged} rows tagged{_strangers(labels, rows)}")
    return merged


def read_labels(path: str) -> pd.DataFrame:
    """Return the columns file_name, label and tags of a CSV file as text; of equal names the last row counts."""
    if not is_file(path):
        raise InputError(f"images.labels = {path}: there is no such file")
    check_table(path)
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, restval="")
            missing = {"file_name", "label"} - set(reader.fieldnames or [])
            if missing:
                raise InputError(f"{path} has no column {' and '.join(sorted(missing))}: it needs file_name and label")
            rows = [[_unescaped(row.get(name) or "") for name in ("file_name", "label", "tags")] for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path} cannot be read as CSV in UTF-8 ({error})") from None
    return pd.DataFrame(rows, columns=["file_name", "label", "tags"]).drop_duplicates("file_name", keep="last")


def _unescaped(text: str) -> str:
    return text[1:] if ESCAPED.match(text) else text


def _strangers(labels: pd.DataFrame, rows: dict[str, int]) -> str:
    names = [name for name in labels["file_name"] if name not in rows]
    if not names:
        return ""
    more = ", …" if len(names) > NAMED else ""
    return f"; {len(names)} names match no row: {', '.join(names[:NAMED])}{more}"
