"""The pipeline on other kinds of processors: whose outs stay the same to the byte, and how far the metrics move.

Every library that chooses its instructions by the processor is told to choose those of another one. The pipeline runs
once as it is and once for each kind, in a folder of its own and without DVC, and every out is compared. The stages are
named whose own inputs were the same and whose outs were not; those that follow from them differ as well.
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

AVX512 = "AVX512F AVX512CD AVX512_SKX AVX512_CLX AVX512_CNL AVX512_ICL AVX512_SPR"
SINGLY = {
    "torch_avx2": {"ATEN_CPU_CAPABILITY": "avx2"},
    "torch_sse": {"ATEN_CPU_CAPABILITY": "default"},
    "onednn_avx2": {"ONEDNN_MAX_CPU_ISA": "AVX2"},
    "mkl_avx2": {"MKL_ENABLE_INSTRUCTIONS": "AVX2"},
    "mkl_compatible": {"MKL_CBWR": "COMPATIBLE"},
    "openblas_haswell": {"OPENBLAS_CORETYPE": "Haswell"},
    "numpy_avx2": {"NPY_DISABLE_CPU_FEATURES": AVX512},
    "numba_generic": {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": ""},
}
WITHOUT_AVX512 = ("torch_avx2", "onednn_avx2", "mkl_avx2", "openblas_haswell", "numpy_avx2")
KINDS = {
    "as_it_is": {},
    **SINGLY,
    "no_avx512": {
        **{name: value for kind in WITHOUT_AVX512 for name, value in SINGLY[kind].items()},
        "NUMBA_CPU_NAME": "haswell",
        "NUMBA_CPU_FEATURES": "+avx2,+fma",
    },
}


def run_pipeline(folder: Path, environment: dict[str, str], changes: dict) -> dict[str, dict[str, str]]:
    """Run every stage in a fresh copy of the project; the MD5 of each out, by stage."""
    for file in subprocess.check_output(["git", "ls-files", "-z"], text=True).split("\0"):
        if file.startswith(("stages/", "data/", "params.yaml", "dvc.yaml")):
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, folder / file)
    values = yaml.safe_load((folder / "params.yaml").read_text())
    for section, keys in changes.items():
        values[section].update(keys)
    (folder / "params.yaml").write_text(yaml.safe_dump(values, sort_keys=False))
    graph = yaml.safe_load((folder / "dvc.yaml").read_text())["stages"]
    made = {}
    for stage, declared in graph.items():
        command = [sys.executable, "-m", "stages", stage]
        subprocess.run(command, cwd=folder, env=os.environ | environment, check=True, capture_output=True)
        outs = [
            next(iter(out)) if isinstance(out, dict) else out for out in declared["outs"] + declared.get("metrics", [])
        ]
        made[stage] = {
            out: hashlib.md5((folder / out).read_bytes()).hexdigest() for out in outs if "/made_from/" not in out
        }
    return made


def metrics_of(folder: Path) -> dict[str, float]:
    """All numbers in metrics/, by `file.key`."""
    values = {path.stem: json.loads(path.read_text()) for path in sorted((folder / "metrics").glob("*.json"))}
    return {
        f"{name}.{key}": value
        for name, scores in values.items()
        for key, value in scores.items()
        if isinstance(value, int | float)
    }


def first_to_differ(reference: dict, made: dict) -> list[str]:
    """The stages whose outs differ though their inputs did not."""
    graph = yaml.safe_load(Path("dvc.yaml").read_text())["stages"]
    different = {out for stage in made for out in made[stage] if made[stage][out] != reference[stage][out]}
    return [stage for stage in made if different & set(made[stage]) and not different & set(graph[stage]["deps"])]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="end with one line of JSON")
    parser.add_argument("--params", type=Path, help="values that replace those of params.yaml: tests/tiny/params.yaml")
    parser.add_argument(
        "--kinds", nargs="+", choices=list(KINDS)[1:], default=list(KINDS)[1:], help="which; all if none"
    )
    options = parser.parse_args()

    changes = yaml.safe_load(options.params.read_text()) if options.params else {}
    runs, scores = {}, {}
    for kind in ("as_it_is", *options.kinds):
        with tempfile.TemporaryDirectory() as folder:
            runs[kind] = run_pipeline(Path(folder), KINDS[kind], changes)
            scores[kind] = metrics_of(Path(folder))
        if kind == "as_it_is":
            continue
        pairs = [
            (reference, made)
            for stage in runs[kind]
            for reference, made in zip(runs["as_it_is"][stage].values(), runs[kind][stage].values(), strict=True)
        ]
        same = sum(reference == made for reference, made in pairs)
        print(f"{kind}: {same} of {len(pairs)} outs are the same")
        print(f"  first to differ: {', '.join(first_to_differ(runs['as_it_is'], runs[kind])) or 'none'}")
        for key, value in scores[kind].items():
            if value != scores["as_it_is"][key]:
                print(f"  {key}: {scores['as_it_is'][key]:.6g} became {value:.6g}")
        sys.stdout.flush()
    if options.json:
        machine = {"cpus": os.cpu_count(), "machine": platform.machine(), "python": platform.python_version()}
        figures = {
            f"{kind}_{key}_minus_reference": scores[kind][key] - scores["as_it_is"][key]
            for kind in options.kinds
            for key in scores[kind]
        }
        print(json.dumps({"benchmark": "processors", "machine": machine, "figures": figures}))


if __name__ == "__main__":
    main()
