"""
Restored volumes against thin ones.

    results/scores/{dataset}/{degradation}/{method}/{fitted}.csv    one row per case x metric
    results/pairs/{dataset}.csv                                     slice pairs, thin x acquired
    results/evidence/                                               all of them, gathered
"""


rule score:
    """Score the restored cases of one cell by every protocol."""
    input:
        restored_record="results/restored/{dataset}/{degradation}/{method}/{fitted}.record.json",
        restored=ancient("results/restored/{dataset}/{degradation}/{method}/{fitted}.zarr"),
        thin_record="results/thin/{dataset}.record.json",
        thin=ancient("results/thin/{dataset}.zarr"),
        thick_record="results/thick/{dataset}/{degradation}.record.json",
        thick=ancient("results/thick/{dataset}/{degradation}.zarr"),
    output:
        scores="results/scores/{dataset}/{degradation}/{method}/{fitted}.csv",
        record="results/scores/{dataset}/{degradation}/{method}/{fitted}.record.json",
    log:
        "results/logs/score/{dataset}/{degradation}/{method}/{fitted}.log",
    benchmark:
        "results/benchmarks/score/{dataset}/{degradation}/{method}/{fitted}.tsv"
    conda:
        "../envs/thinslice.yaml"
    threads: cores("score")
    resources:
        **reserve("score"),
    params:
        protocols=PROTOCOL_CARDS,
        degradation=lambda w: degradation_card(w.degradation),
        cell=cell_card,
        workers=case_flags,
        code=code("score.py"),
    shell:
        r"""
        env $ONE_THREAD python "$HERE"/workflow_scripts/score.py --protocols {params.protocols:q} \
            --degradation {params.degradation:q} --cell {params.cell:q} \
            --restored {input.restored:q} --thin {input.thin:q} --thick {input.thick:q} \
            --out {output.scores:q} \
            --threads {threads} {params.workers} &>{log:q}
        """


rule pairs:
    """Compare the thin and the acquired thick slices of one dataset, by distance along z."""
    input:
        thin_record="results/thin/{dataset}.record.json",
        thin=ancient("results/thin/{dataset}.zarr"),
        thick_record="results/thick/{dataset}/acquired.record.json",
        thick=ancient("results/thick/{dataset}/acquired.zarr"),
    output:
        pairs="results/pairs/{dataset}.csv",
        record="results/pairs/{dataset}.record.json",
    log:
        "results/logs/pairs/{dataset}.log",
    benchmark:
        "results/benchmarks/pairs/{dataset}.tsv"
    conda:
        "../envs/thinslice.yaml"
    threads: cores("pairs")
    resources:
        **reserve("pairs"),
    params:
        sim=lambda w: "sim" if config["datasets"][w.dataset].get("simulated", False) else "",
        workers=case_flags,
        code=code("pairs.py"),
    shell:
        r"""
        env $ONE_THREAD python "$HERE"/workflow_scripts/pairs.py --sim={params.sim:q} --thin {input.thin:q} \
            --thick {input.thick:q} --out {output.pairs:q} \
            --threads {threads} {params.workers} &>{log:q}
        """


rule gather:
    """The scores and runs of one dataset and degradation, in one table each."""
    input:
        records=lambda w: SCORE_RECORDS[w.dataset, w.degradation],
    output:
        scores="results/evidence/{dataset}/{degradation}.scores.csv",
        runs="results/evidence/{dataset}/{degradation}.runs.csv",
        record="results/evidence/{dataset}/{degradation}.record.json",
    log:
        "results/logs/gather/{dataset}/{degradation}.log",
    benchmark:
        "results/benchmarks/gather/{dataset}/{degradation}.tsv"
    conda:
        "../envs/thinslice.yaml"
    resources:
        **reserve("gather"),
    params:
        code=code("gather.py"),
    shell:
        r"""
        python "$HERE"/workflow_scripts/gather.py --records {input.records:q} \
            --scores {output.scores:q} --runs {output.runs:q} --record {output.record:q} &>{log:q}
        """


rule evidence:
    """All scores, runs and slice pairs: what every analysis answers from."""
    input:
        records=targets.gathered_records(config),
        pairs=targets.pairs_records(config),
        scans=targets.scan_records(config),
    output:
        scores="results/evidence/scores.csv",
        runs="results/evidence/runs.csv",
        pairs="results/evidence/pairs.csv",
        skipped="results/evidence/skipped.csv",
        scans="results/evidence/scans.csv",
        cases="results/evidence/cases.csv",
        record="results/evidence/evidence.record.json",
    log:
        "results/logs/evidence.log",
    benchmark:
        "results/benchmarks/evidence.tsv"
    conda:
        "../envs/thinslice.yaml"
    resources:
        **reserve("evidence"),
    params:
        skipped=json.dumps(cells.skipped(config)),
        code=code("evidence.py"),
    shell:
        r"""
        python "$HERE"/workflow_scripts/evidence.py --records {input.records:q} --pairs {input.pairs:q} \
            --scans {input.scans:q} --skipped {params.skipped:q} --out results/evidence &>{log:q}
        """
