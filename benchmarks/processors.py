"""What another processor changes: the pipeline with and without AVX-512, output by output and metric by metric.

Every library that chooses its instructions by the processor (torch, oneDNN, MKL, OpenBLAS, NumPy, numba) is told to do
without AVX-512. The pipeline runs once as it is and once like that, each in a folder of its own and without DVC. The
differences of the metrics are what the default tolerance of `fitmap compare` has to cover.
"""

import argparse
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

NO_AVX512 = {
    "ATEN_CPU_CAPABILITY": "avx2",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "MKL_ENABLE_INSTRUCTIONS": "AVX2",
    "OPENBLAS_CORETYPE": "Haswell",
    "NPY_DISABLE_CPU_FEATURES": "AVX512F AVX512CD AVX512_SKX AVX512_CLX AVX512_CNL AVX512_ICL AVX512_SPR",
    "NUMBA_CPU_NAME": "haswell",
    "NUMBA_CPU_FEATURES": "+avx2,+fma",
}


def run_pipeline(environment: dict[str, str], changes: dict) -> tuple[dict[str, str], dict[str, float]]:
    """Run every stage in a fresh copy of the project; return the MD5 of each file made, and the metrics."""
    with tempfile.TemporaryDirectory() as root:
        folder = Path(root)
        shutil.copytree("stages", folder / "stages", ignore=shutil.ignore_patterns("__pycache__"))
        params = yaml.safe_load(Path("params.yaml").read_text())
        for section, values in changes.items():
            params[section].update(values)
        (folder / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
        search = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": root}
        for stage in yaml.safe_load(Path("dvc.yaml").read_text())["stages"].values():
            variables = os.environ | environment | search
            subprocess.run(stage["cmd"], shell=True, cwd=folder, env=variables, check=True, capture_output=True)
        made = [path for name in ("data", "metrics", "plots") for path in sorted((folder / name).rglob("*.*"))]
        outs = {str(path.relative_to(folder)): hashlib.md5(path.read_bytes()).hexdigest() for path in made}
        scores = {path.stem: json.loads(path.read_text()) for path in (folder / "metrics").glob("*.json")}
        numbers = {f"{file}.{key}": value for file, values in scores.items() for key, value in values.items()}
    return outs, {key: value for key, value in numbers.items() if isinstance(value, int | float)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="end with one line of JSON")
    parser.add_argument("--params", type=Path, help="values that replace those of params.yaml: tests/tiny/params.yaml")
    options = parser.parse_args()
    changes = yaml.safe_load(options.params.read_text()) if options.params else {}
    (outs, scores), (other_outs, other_scores) = (run_pipeline(kind, changes) for kind in ({}, NO_AVX512))
    same = [name for name in outs if other_outs[name] == outs[name]]
    print(f"{len(same)} of {len(outs)} outputs are identical: {', '.join(same)}")
    figures = {f"{key}_change": other_scores[key] - value for key, value in scores.items()}
    for key, change in figures.items():
        print(f"{key:40} {change:+.6g}")
    if options.json:
        machine = {"cpus": os.cpu_count(), "machine": platform.machine(), "python": platform.python_version()}
        print(json.dumps({"benchmark": "processors", "machine": machine, "figures": figures}))


if __name__ == "__main__":
    main()
