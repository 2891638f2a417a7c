"""Turn what `bench/gpu.sh run` wrote into a table.

usage: gpu_report.py RESULTS WARM_UP. Reads parity.json, throughput.jsonl and machine.txt in the folder RESULTS,
prints a report in Markdown, and writes it beside them as report.md, and its figures as summary.json. The first
WARM_UP steps of each measurement are left out: they choose and compile kernels.
"""

import json
import statistics
import sys
from pathlib import Path

PHASES = ("forward", "backward", "optimizer")


def summarise(lines: list[dict], warm_up: int) -> list[dict]:
    """One row for each shape and program: medians over the steps of all rounds, in milliseconds."""
    groups: dict[tuple[int, int, str], list[dict]] = {}
    for line in lines:
        result = line["result"]
        groups.setdefault((result["rows"], result["tokens"], line["who"]), []).append(result)
    rows = []
    for (batch, tokens, who), results in sorted(groups.items()):
        steps = [step for result in results for step in list(zip(*(result[p] for p in PHASES)))[warm_up:]]
        if not steps:
            continue
        medians = {p: 1e3 * statistics.median(step[i] for step in steps) for i, p in enumerate(PHASES)}
        step = 1e3 * statistics.median(map(sum, steps))
        by_round = [
            1e3 * statistics.median(list(map(sum, zip(*(result[p] for p in PHASES))))[warm_up:])
            for result in results
        ]
        rows.append(
            {
                "rows": batch,
                "tokens": tokens,
                "who": who,
                **medians,
                "step": step,
                "slowest_round": max(by_round),
                "fastest_round": min(by_round),
                "sequences_per_second": 1e3 * batch / step,
                "first_steps_seconds": [sum(sum(result[p][:warm_up]) for p in PHASES) for result in results],
                "loss": [result["loss"] for result in results],
            }
        )
    return rows


def table(rows: list[dict]) -> list[str]:
    lines = [
        "| batch | program | forward ms | backward ms | AdamW ms | step ms (rounds) | sequences/s "
        "| warm-up s, first round |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for row in rows:
        lines.append(
            f"| {row['rows']} x {row['tokens']} | {row['who']} | {row['forward']:.2f} | {row['backward']:.2f} "
            f"| {row['optimizer']:.2f} | {row['step']:.2f} ({row['fastest_round']:.2f} to "
            f"{row['slowest_round']:.2f}) | {row['sequences_per_second']:.0f} "
            f"| {row['first_steps_seconds'][0]:.1f} |"
        )
    return lines


def parity_lines(path: Path) -> tuple[list[str], object]:
    try:
        parity = json.loads(path.read_text())
    except (OSError, ValueError):
        return ["Parity: did not run."], None
    differences = parity["differences"]
    verdict = "holds" if parity["holds"] else "FAILS"
    lines = [
        f"Parity on {parity['device']}: {verdict}, {len(differences)} comparisons. The nearest to their limits:",
        "",
        "| what | largest difference | limit |",
        "| --- | --- | --- |",
    ]
    lines += [f"| {d['what']} | {number(d['worst'])} | {d['limit']:.0e} |" for d in differences[:8]]
    return lines, parity


def number(value: float | None) -> str:
    """JSON has no infinity: it comes as null."""
    return "not finite" if value is None else f"{value:.2e}"


def main(results: Path, warm_up: int) -> None:
    lines = [json.loads(line) for line in (results / "throughput.jsonl").read_text().splitlines()]
    rows = summarise(lines, warm_up)
    parity, raw_parity = parity_lines(results / "parity.json")
    machine = (results / "machine.txt").read_text().splitlines()
    report = "\n".join(["; ".join(machine), "", *parity, "", *table(rows), ""])
    (results / "report.md").write_text(report)
    summary = {"machine": machine, "throughput": rows, "parity": raw_parity}
    (results / "summary.json").write_text(json.dumps(summary, indent=1) + "\n")
    print(report)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
