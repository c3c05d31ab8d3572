"""`fitmap claims`: measure the claims of experiments/claims/ and write them into docs/claims.md."""

import re
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from commands.experiments import Claim, combinations, project_files, read_claim, read_results, run_missing
from commands.findings import FINDINGS, Finding
from stages.common.artifacts import write_bytes, write_text
from stages.common.errors import InputError
from stages.common.settings import check_file
from stages.figures.style import png_bytes

SETS, PAGE = Path("experiments/claims"), Path("docs/claims.md")


def measure_claims(names: Sequence[str], jobs: int) -> None:
    """Measure the named claims, or all, `jobs` experiments at a time, and write each into the page.

    Every override is checked before the first experiment runs.
    """
    check_file()
    for name in names:
        if name not in FINDINGS:
            raise InputError(f"{name!r} is no claim; known are {', '.join(FINDINGS)}")
    project = project_files()
    paths = {name: SETS / f"{name}.yaml" for name in names or FINDINGS}
    experiments = {name: combinations(path, project) for name, path in paths.items()}
    for name, path in paths.items():
        ran = run_missing(experiments[name], project, jobs, name)
        write_section(name, read_claim(path), FINDINGS[name](*read_results(experiments[name])))
        print(
            f"{name}: ran {ran} of {len(experiments[name])} experiments, the others were measured already", flush=True
        )


def write_section(name: str, claim: Claim, finding: Finding) -> None:
    """Write the picture, and the claim's section of the page between its markers, or at the end."""
    write_bytes(f"docs/images/claim_{name}.png", png_bytes(finding.figure))
    begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    section = f"""{begin}
## {claim.title}

{claim.claim}

```sh
fitmap claims {name}
```

![{claim.title}](images/claim_{name}.png)

{markdown(finding.table)}

**{finding.verdict}** {finding.sentence}
{end}"""
    page = PAGE.read_text(encoding="utf-8") if PAGE.is_file() else "# Claims\n"
    page, found = re.subn(f"{begin}.*?{end}", lambda _: section, page, flags=re.DOTALL)
    write_text(str(PAGE), page if found else f"{page.rstrip()}\n\n{section}\n")


def markdown(table: pd.DataFrame) -> str:
    """The table in Markdown, figures to the right."""
    rows = [list(table.columns), ["---", *["---:"] * (table.shape[1] - 1)], *table.to_numpy().tolist()]
    return "\n".join(f"| {' | '.join(map(str, row))} |" for row in rows)
