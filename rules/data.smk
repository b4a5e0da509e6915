"""
Scans, thin and thick.

    results/raw/{dataset}.record.json             which raw files there are, with their hashes
    results/thin/{dataset}.zarr                   as reconstructed, HU, z first
    results/thick/{dataset}/{degradation}.zarr    simulated, or acquired where the set has both

A record (.record.json) lies beside every result; rules depend on the record, whose content
Snakemake compares, and name the store only so that a deleted one is noticed.
"""


rule fetch:
    """Download one dataset, verify it, and hash every raw file."""
    input:
        lambda wildcards: own_data.files(config["datasets"][wildcards.dataset]),
    output:
        "results/raw/{dataset}.record.json",
    log:
        "results/logs/fetch/{dataset}.log",
    benchmark:
        "results/benchmarks/fetch/{dataset}.tsv"
    priority: 20  # of what trainings wait for
    conda:
        "../envs/thinslice.yaml"
    resources:
        **reserve("fetch"),
    params:
        card=card_of("datasets", "dataset"),
        raw=raw_folder,
        mirror=engine.derived(lambda w: config["mirror"] or ""),
        code=code("fetch.py"),
    shell:
        r"""
        python "$HERE"/workflow_scripts/fetch.py --card {params.card:q} --mirror={params.mirror:q} \
            --raw {params.raw:q} --record {output:q} &>{log:q}
        """


rule convert:
    """Read one dataset's scans; store its thin volumes and, where acquired, its thick ones."""
    input:
        "results/raw/{dataset}.record.json",
    output:
        thin=directory("results/thin/{dataset}.zarr"),
        thin_record="results/thin/{dataset}.record.json",
        thick=directory("results/thick/{dataset}/acquired.zarr"),
        thick_record="results/thick/{dataset}/acquired.record.json",
    log:
        "results/logs/convert/{dataset}.log",
    benchmark:
        "results/benchmarks/convert/{dataset}.tsv"
    priority: 20  # of what trainings wait for
    conda:
        "../envs/thinslice.yaml"
    threads: cores("convert")
    resources:
        **reserve("convert"),
    params:
        card=card_of("datasets", "dataset"),
        raw=raw_folder,
        workers=case_flags,
        code=code("convert.py"),
    shell:
        r"""
        env $ONE_THREAD python "$HERE"/workflow_scripts/convert.py --card {params.card:q} \
            --raw {params.raw:q} --raw-record {input:q} \
            --thin {output.thin:q} --thick {output.thick:q} \
            --threads {threads} {params.workers} &>{log:q}
        """


rule degrade:
    """Simulate thick slices for every case of one dataset."""
    input:
        record="results/thin/{dataset}.record.json",
        thin=ancient("results/thin/{dataset}.zarr"),
    output:
        thick=directory("results/thick/{dataset}/{degradation}.zarr"),
        record="results/thick/{dataset}/{degradation}.record.json",
    log:
        "results/logs/degrade/{dataset}/{degradation}.log",
    benchmark:
        "results/benchmarks/degrade/{dataset}/{degradation}.tsv"
    wildcard_constraints:
        degradation="|".join(name for name in config["degradations"] if name != cells.ACQUIRED),
    priority: 20  # of what trainings wait for
    conda:
        "../envs/thinslice.yaml"
    threads: cores("degrade")
    resources:
        **reserve("degrade"),
    params:
        card=card_of("degradations", "degradation"),
        workers=case_flags,
        code=code("degrade.py"),
    shell:
        r"""
        env $ONE_THREAD python "$HERE"/workflow_scripts/degrade.py --card {params.card:q} \
            --thin {input.thin:q} --out {output.thick:q} \
            --threads {threads} {params.workers} &>{log:q}
        """
