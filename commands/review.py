"""`fitmap review`: what is worth a look in the data: leaks, duplicates, suspect labels, outliers and thin spots."""

import json

import pandas as pd

from stages.common.artifacts import read_csv, write_csv
from stages.common.errors import InputError
from stages.figures.review_sheet import COPIES, TITLES

REVIEW = "plots/review.csv"
FIRST = 10  # findings of a kind, or sets of copies, that are printed
NAMED = 5  # copies of a set that are printed


def review(kinds: list[str], fail_on: list[str], csv: str | None, as_json: bool) -> None:
    """Print counts and the first findings of each of `kinds`, all if none is named; write them to the file `csv`.

    Raises `InputError` for an unknown kind, and `SystemExit(1)` if there are findings of a kind in `fail_on`.
    """
    for kind in [*kinds, *fail_on]:
        if kind.removesuffix("s") not in TITLES:
            raise InputError(f"{kind!r} is not a kind of finding: use {', '.join(TITLES)}")
    wanted = {kind.removesuffix("s") for kind in kinds} or set(TITLES)
    findings = read_csv(REVIEW)
    shown = findings[findings["kind"].isin(wanted)]
    if csv:
        write_csv(csv, shown)
    if as_json:
        print(json.dumps(json.loads(shown.to_json(orient="records")), indent=2, ensure_ascii=False))
    else:
        print("\n".join(describe(shown, [kind for kind in TITLES if kind in wanted])))
    if findings["kind"].isin([kind.removesuffix("s") for kind in fail_on]).any():
        raise SystemExit(1)


def describe(findings: pd.DataFrame, kinds: list[str]) -> list[str]:
    """Return the findings as lines of text: a heading for each kind, then the first of them."""
    lines = []
    for kind in kinds:
        found = findings[findings["kind"] == kind].fillna({"label": "", "other_file_name": "", "suggestion": ""})
        if kind in COPIES:
            told = [describe_set(copies) for _, copies in found.groupby("set")]
        else:
            told = [describe_finding(row) for row in found.itertuples()]
        count = f"{len(found):,}" + (f" in {len(told):,} set{'s' * (len(told) > 1)}" if len(told) < len(found) else "")
        lines += [f"{TITLES[kind]} ({count})", *(f"  {line}" for line in told[:FIRST])]
        if len(told) > FIRST:
            lines.append(f"  … and {len(told) - FIRST:,} more: {REVIEW}")
    return lines


def describe_finding(row) -> str:
    """Return a finding about a single image as a line."""
    told = f"{row.label} → {row.suggestion}" if row.kind == "label" else row.why
    return f"{row.file_name}: {told} ({row.score:.2f})"


def describe_set(copies: pd.DataFrame) -> str:
    """Return the findings about one set of copies as a line: a pair, or the first of more with the least similarity."""
    first = copies.iloc[0]
    if len(copies) == 1:
        return f"{first.file_name}: {first.why} of {first.other_file_name} ({first.score:.2f})"
    names = list(dict.fromkeys([*copies["other_file_name"], *copies["file_name"]]))
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f"{len(names)} copies: {', '.join(names[:NAMED])}{more} ({copies['score'].min():.2f})"
