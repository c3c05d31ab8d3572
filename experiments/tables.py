"""Tables of measured rows: kept in a CSV so that a long experiment can go on where it was stopped, shown in a page."""

import hashlib
import re
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from stages.common.artifacts import write_csv, write_text
from stages.common.settings import Section


def digest(*sections: Section) -> str:
    """Eight letters that change with any parameter."""
    return hashlib.sha256("".join(section.model_dump_json() for section in sections).encode()).hexdigest()[:8]


def resumed(path: str, key: str, name: str, seed: int, measure: Callable[[], list[dict]]) -> pd.DataFrame:
    """The rows of `name` and `seed` in the CSV at `path`; measured and added first unless they are there for `key`."""
    table = pd.DataFrame({"name": [], "seed": [], "key": []})
    if Path(path).exists():
        table = pd.read_csv(path, dtype={"name": str, "key": str})
    same = (table["name"] == name) & (table["seed"] == seed)
    if not (same & (table["key"] == key)).any():
        fresh = pd.DataFrame([{"name": name, "seed": seed, "key": key, **row} for row in measure()])
        table = pd.concat([table[~same], fresh]) if len(table) else fresh
        write_csv(path, table)
        print(fresh.drop(columns="key").to_string(header=False, index=False), flush=True)
    return table[(table["name"] == name) & (table["seed"] == seed)]


def averaged(table: pd.DataFrame, by: list[str], digits: dict[str, int]) -> pd.DataFrame:
    """Means over the seeds as text, with ± the standard deviation where there are several; columns as in `digits`."""
    groups = table.groupby(by, sort=False)[list(digits)]
    mean, spread, seeds = groups.mean(), groups.std(ddof=1), groups.size()
    shown = pd.DataFrame({key: mean[key].map(f"{{:.{count}f}}".format) for key, count in digits.items()})
    for key, count in digits.items():
        shown.loc[seeds > 1, key] += spread.loc[seeds > 1, key].map(f" ± {{:.{count}f}}".format)
    return shown.reset_index()


def put_into(page: str, marker: str, table: pd.DataFrame) -> None:
    """Write `table` as Markdown between the lines `<!-- marker -->` and `<!-- end -->` of `page`."""
    rows = [table.columns, ["---"] + ["---:"] * (len(table.columns) - 1), *table.itertuples(index=False)]
    lines = "\n".join(f"| {' | '.join(map(str, row))} |" for row in rows)
    text = Path(page).read_text(encoding="utf-8")
    between = re.compile(rf"(<!-- {marker} -->\n).*?(<!-- end -->)", re.DOTALL)
    write_text(page, between.sub(lambda found: f"{found[1]}{lines}\n{found[2]}", text))
