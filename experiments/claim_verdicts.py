"""What a claim's rows show: a table, a verdict that follows from the figures, and means over the seeds."""

from dataclasses import dataclass

import numpy as np
from pandas import DataFrame, Series


@dataclass(frozen=True)
class Finding:
    """The table of a claim, which of its parts hold, and the figures that decide it in a sentence."""

    table: DataFrame
    parts: tuple[bool, ...]
    sentence: str

    @property
    def verdict(self) -> str:
        if all(self.parts):
            return "The measurement agrees."
        return f"The measurement {'agrees only in part' if any(self.parts) else 'contradicts the claim'}."


def means_of(rows: DataFrame, index: str, columns: str, value: str) -> DataFrame:
    """Return means over the seeds, a row for each label of `index` and a column for each of `columns`, in order."""
    means = rows.groupby([index, columns], sort=False)[value].mean().unstack(columns)
    return means.loc[rows[index].unique(), rows[columns].unique()]


def tabulate(rows: DataFrame, index: str, columns: str | None, values: dict[str, int]) -> DataFrame:
    """Return mean ± standard deviation over the seeds as text.

    Args:
        index: one table row for each of its labels.
        columns: one table column for each of its labels and each value; None: one for each value.
        values: the columns of `rows` to show, with their significant digits.
    """
    groups = [("", rows)] if columns is None else list(rows.groupby(columns, sort=False))
    labels = rows[index].unique().tolist()
    table = {index: [f"{label:,}" if isinstance(label, int) else str(label) for label in labels]}
    for value, digits in values.items():
        for name, part in groups:
            name = name if isinstance(name, str) else f"{columns} {name}"
            head = f"{value}, {name}" if name else value
            table[head] = [mean_and_spread(part.loc[part[index] == label, value], digits) for label in labels]
    return DataFrame(table)


def mean_and_spread(values: Series, digits: int) -> str:
    """Return `12.3 ± 0.4`: the mean with `digits` significant digits, the standard deviation to the same place."""
    mean, spread = values.mean(), values.std()
    if np.isnan(mean):
        return ""
    if not spread > 0:
        return f"{mean:,.{digits}g}"
    if 0 < abs(mean) < 1e-4:
        return f"{mean:.{digits - 1}e} ± {spread:.{digits - 1}e}"
    places = max(digits - 1 - int(np.floor(np.log10(abs(mean)))), 0) if mean else digits
    return f"{mean:,.{places}f} ± {spread:,.{places}f}".replace("-", "−")


def markdown(table: DataFrame) -> str:
    """Return the table in Markdown, figures to the right."""
    rows = [list(table.columns), ["---", *["---:"] * (table.shape[1] - 1)], *table.to_numpy().tolist()]
    return "\n".join(f"| {' | '.join(map(str, row))} |" for row in rows)
