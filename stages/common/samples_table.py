"""The samples: one row for each image or vector, training rows first. Every later artifact keeps their order.

Columns: `split` ("train" or "test"), `file_name` (relative to the source folder, or the row's own name), `label` (the
class, missing if unknown; its categories are all classes in their order), then the columns that the source had.
"""

import numpy as np
import pandas as pd

from stages.common.artifacts import read_parquet, write_parquet

SAMPLES = "data/samples.parquet"
COLUMNS = ("split", "file_name", "label")


def make_samples(
    split: np.ndarray, file_name: list[str], label: np.ndarray, classes: list[str], columns: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Build the table from split and file name (n,), class indices `label` (n,), -1 if unknown, and other columns."""
    table = pd.DataFrame(
        {
            "split": pd.Categorical(split, categories=["train", "test"]),
            "file_name": pd.Series(file_name, dtype="str"),
            "label": pd.Categorical.from_codes(label, categories=pd.Index(classes, dtype="str")),
        }
    )
    return table if columns is None else pd.concat([table, columns.reset_index(drop=True)], axis=1)


def numbered_samples(
    train: int, test: int, labels: np.ndarray, classes: list[str], columns: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Return samples of images that have no files, named `train-00000`, …, `test-00000`, …"""
    names = [f"{split}-{i:05d}" for split, count in (("train", train), ("test", test)) for i in range(count)]
    return make_samples(np.repeat(["train", "test"], [train, test]), names, labels, classes, columns)


def write_samples(samples: pd.DataFrame) -> None:
    """Write `data/samples.parquet`."""
    write_parquet(SAMPLES, samples)


def read_samples() -> pd.DataFrame:
    """Read `data/samples.parquet`; `split` and `label` are categorical."""
    return read_parquet(SAMPLES)


def is_train(samples: pd.DataFrame) -> np.ndarray:
    """Return which rows (n,) bool are training rows."""
    return (samples["split"] == "train").to_numpy()


def labels_of(samples: pd.DataFrame) -> np.ndarray:
    """Return the class indices (n,) int64, -1 where the class is unknown."""
    return samples["label"].cat.codes.to_numpy(dtype=np.int64)


def classes_of(samples: pd.DataFrame) -> list[str]:
    """Return the names of the classes in their order."""
    return [str(name) for name in samples["label"].cat.categories]


def columns_of(samples: pd.DataFrame) -> pd.DataFrame:
    """Return the columns that the source had, without `split`, `file_name` and `label`."""
    return samples.drop(columns=list(COLUMNS))
