"""`fitmap review`: what is worth a look in the data: leaks, duplicates, suspect labels, outliers and thin spots."""

import json

import pandas as pd

from stages.common.artifacts import read_csv, write_csv
from stages.common.errors import InputError

REVIEW = "plots/review.csv"
KINDS = {
    "leak": "Leaks, copies in training and in test",
    "duplicate": "Duplicates, copies within a split",
    "label": "Suspect labels",
    "outlier": "Outliers",
    "thin": "Thin spots, classes too small or without a group",
}
FIRST = 10  # findings of a kind that are printed


def review(kinds: list[str], fail_on: list[str], csv: str | None, as_json: bool) -> None:
    """Print counts and the first findings of each of `kinds`, all if none is named; write them to the file `csv`.

    Raises `InputError` for an unknown kind, and `SystemExit(1)` if there are findings of a kind in `fail_on`.
    """
    for kind in [*kinds, *fail_on]:
        if kind.removesuffix("s") not in KINDS:
            raise InputError(f"{kind!r} is not a kind of finding: use {', '.join(KINDS)}")
    wanted = {kind.removesuffix("s") for kind in kinds} or set(KINDS)
    findings = read_csv(REVIEW)
    shown = findings[findings["kind"].isin(wanted)]
    if csv:
        write_csv(csv, shown)
    if as_json:
        print(json.dumps(json.loads(shown.to_json(orient="records")), indent=2, ensure_ascii=False))
    else:
        print("\n".join(describe(shown, [kind for kind in KINDS if kind in wanted])))
    if findings["kind"].isin([kind.removesuffix("s") for kind in fail_on]).any():
        raise SystemExit(1)


def describe(findings: pd.DataFrame, kinds: list[str]) -> list[str]:
    """Return the findings as lines of text: a heading for each kind, then the first of them."""
    lines = []
    for kind in kinds:
        found = findings[findings["kind"] == kind].fillna("")
        lines.append(f"{KINDS[kind]}: {len(found):,}")
        for row in found.head(FIRST).itertuples():
            told = {"label": f"{row.label} → {row.suggestion}", "thin": row.why}.get(kind)
            copy = f"{row.why} of {row.other_file_name}" if kind in ("leak", "duplicate") else row.why
            lines.append(f"  {row.file_name}: {told or copy} ({row.score:.2f})")
        if len(found) > FIRST:
            lines.append(f"  … and {len(found) - FIRST:,} more: {REVIEW}")
    return lines
