"""
Thick volumes in, restored volumes out.

    results/weights/{method}/{dataset}--{degradation}.pt               methods with fit: population
    results/weights/{method}/given.pt                                  those that a line names
    results/shards/{dataset}/{degradation}/{method}/{fitted}/          parts of a cell, removed when joined
    results/restored/{dataset}/{degradation}/{method}/{fitted}.zarr    every method

{dataset}--{degradation} of a weights file, and {fitted}, name what the weights were fitted on; a
method that learns from no population is "untrained".
"""


rule train:
    """Fit one method on the training cases of one source; checkpoints live in results/work."""
    input:
        thick_record="results/thick/{dataset}/{degradation}.record.json",
        thick=ancient("results/thick/{dataset}/{degradation}.zarr"),
        thin_record="results/thin/{dataset}.record.json",
        thin=ancient("results/thin/{dataset}.zarr"),
    output:
        weights="results/weights/{method}/{dataset}--{degradation}.pt",
        curve="results/weights/{method}/{dataset}--{degradation}.curve.csv",
        record="results/weights/{method}/{dataset}--{degradation}.record.json",
    log:
        "results/logs/train/{method}/{dataset}--{degradation}.log",
    benchmark:
        "results/benchmarks/train/{method}/{dataset}--{degradation}.tsv"
    priority: 10  # the longest jobs first: others fill the cores beside them
    conda:
        "../envs/thinslice.yaml"
    threads: cores("train")
    resources:
        **reserve("train"),
        **reserve_gpus(training_gpus),
    params:
        card=card_to_fit,
        device=engine.derived(lambda w: config["device"]),
        processes=engine.derived(lambda w: config["methods"][w.method].get("gpus", 1)),
        memory_mb=engine.derived(lambda w: reservation("train", w).mem_mb),
        data_mb=engine.derived(lambda w: reservation("train", w).mem_mb // 2),
        code=code("train.py"),
    shell:
        r"""
        python "$HERE"/workflow_scripts/train.py --card {params.card:q} --threads {threads} \
            --device {params.device:q} --gpus {params.processes} \
            --reserved-gpus {resources.gpu} --data-mb {params.data_mb} \
            --max-memory-mb {params.memory_mb} --work results/work \
            --thick {input.thick:q} --thin {input.thin:q} \
            --out {output.weights:q} --curve {output.curve:q} 2>&1 | tee {log:q}
        """


rule given_weights:
    """Take weights of others, as soon as a run begins: what is wrong with them shows at once."""
    input:
        lambda w: list(map(str, cells.given_files(config["methods"][w.method]).values())),
    output:
        weights="results/weights/{method}/given.pt",
        record="results/weights/{method}/given.record.json",
    log:
        "results/logs/given_weights/{method}.log",
    benchmark:
        "results/benchmarks/given_weights/{method}.tsv"
    priority: 100
    conda:
        "../envs/thinslice.yaml"
    resources:
        **reserve("given_weights"),
    params:
        card=card_of("methods", "method"),
        code=code("given_weights.py"),
    shell:
        r"""
        python "$HERE"/workflow_scripts/given_weights.py --card {params.card:q} \
            --out {output.weights:q} &>{log:q}
        """


rule restore_shard:
    """Restore every n-th test case of one cell, where one job for all would take too long."""
    input:
        thick_record="results/thick/{dataset}/{degradation}.record.json",
        thick=ancient("results/thick/{dataset}/{degradation}.zarr"),
        weights=weights,
        learned=learned_there,
    output:
        restored=temp(
            directory(
                "results/shards/{dataset}/{degradation}/{method}/{fitted}/{shard}of{shards}.zarr"
            )
        ),
        record=temp(
            "results/shards/{dataset}/{degradation}/{method}/{fitted}/{shard}of{shards}.record.json"
        ),
    log:
        "results/logs/restore/{dataset}/{degradation}/{method}/{fitted}/{shard}of{shards}.log",
    benchmark:
        "results/benchmarks/restore/{dataset}/{degradation}/{method}/{fitted}/{shard}of{shards}.tsv"
    wildcard_constraints:
        shard=r"\d+",
        shards=r"\d+",
    conda:
        "../envs/thinslice.yaml"
    threads: cores("restore")
    resources:
        **reserve("restore"),
        **reserve_gpus(shard_gpus),
    params:
        card=card_to_restore,
        flags=restore_flags,
        code=code("restore_shard.py"),
    shell:
        r"""
        python "$HERE"/workflow_scripts/restore_shard.py --shard {wildcards.shard} \
            --of {wildcards.shards} --card {params.card:q} {params.flags} \
            --thick {input.thick:q} --weights-record {input.weights:q} --out {output.restored:q} &>{log:q}
        """


rule restore:
    """Restore the test cases of one cell, or join its shards. The thin volumes are no input: the
    grid to restore on is in the thick store."""
    input:
        thick_record="results/thick/{dataset}/{degradation}.record.json",
        thick=ancient("results/thick/{dataset}/{degradation}.zarr"),
        weights=weights,
        learned=learned_there,
        shard_records=lambda w: [f"{shard}.record.json" for shard in shards_of(w)],
        shards=lambda w: [ancient(f"{shard}.zarr") for shard in shards_of(w)],
    output:
        restored=directory("results/restored/{dataset}/{degradation}/{method}/{fitted}.zarr"),
        record="results/restored/{dataset}/{degradation}/{method}/{fitted}.record.json",
    log:
        "results/logs/restore/{dataset}/{degradation}/{method}/{fitted}.log",
    benchmark:
        "results/benchmarks/restore/{dataset}/{degradation}/{method}/{fitted}.tsv"
    conda:
        "../envs/thinslice.yaml"
    threads: cores("restore")
    resources:
        **reserve("restore"),
        **reserve_gpus(restore_gpus),
    params:
        card=card_to_restore,
        script=restore_script,
        code=restore_code,
    shell:
        r"""
        python "$HERE"/workflow_scripts/{params.script} --card {params.card:q} \
            --thick {input.thick:q} --weights-record {input.weights:q} --out {output.restored:q} &>{log:q}
        """
