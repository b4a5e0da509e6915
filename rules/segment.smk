"""
Restored volumes to structures found in them, where the config has segmentation.

    results/labels/{dataset}.npz                                     label maps of the thin scans
    results/segmenters/{dataset}.pt, .curve.csv                      a network fitted on thin scans
    results/segmented/{dataset}/{degradation}/{method}/{fitted}.csv  Dice and NSD, as scores
"""


rule labels:
    """Which voxels of one dataset's thin scans are which structure."""
    input:
        raw="results/raw/{dataset}.record.json",
        thin_record="results/thin/{dataset}.record.json",
        thin=ancient("results/thin/{dataset}.zarr"),
    output:
        labels="results/labels/{dataset}.npz",
        record="results/labels/{dataset}.record.json",
    log:
        "results/logs/labels/{dataset}.log",
    benchmark:
        "results/benchmarks/labels/{dataset}.tsv"
    conda:
        "../envs/thinslice.yaml"
    resources:
        **reserve("labels"),
    params:
        card=card_of("datasets", "dataset"),
        raw=raw_folder,
        code=code("labels.py"),
    shell:
        r"""
        python "$HERE"/workflow_scripts/labels.py --card {params.card:q} --raw {params.raw:q} \
            --raw-record {input.raw:q} --thin {input.thin:q} --out {output.labels:q} &>{log:q}
        """


rule segmenter:
    """Fit a network that finds the structures, on the thin training cases of one dataset."""
    input:
        labels_record="results/labels/{dataset}.record.json",
        labels=ancient("results/labels/{dataset}.npz"),
        thin_record="results/thin/{dataset}.record.json",
        thin=ancient("results/thin/{dataset}.zarr"),
    output:
        weights="results/segmenters/{dataset}.pt",
        curve="results/segmenters/{dataset}.curve.csv",
        record="results/segmenters/{dataset}.record.json",
    log:
        "results/logs/segmenter/{dataset}.log",
    benchmark:
        "results/benchmarks/segmenter/{dataset}.tsv"
    conda:
        "../envs/thinslice.yaml"
    threads: cores("segmenter")
    resources:
        **reserve("segmenter"),
        **reserve_gpus(any_gpu),
    params:
        card=cards.segmenter_card(config),
        device=engine.derived(lambda w: config["device"]),
        code=code("segmenter.py"),
    shell:
        r"""
        python "$HERE"/workflow_scripts/segmenter.py --card {params.card:q} \
            --labels {input.labels:q} --thin {input.thin:q} --work results/work \
            --threads {threads} --device {params.device:q} --reserved-gpus {resources.gpu} \
            --out {output.weights:q} --curve {output.curve:q} 2>&1 | tee {log:q}
        """


rule segment:
    """Find the structures in the restored cases of one cell, and in the thin ones: Dice and NSD."""
    input:
        restored_record="results/restored/{dataset}/{degradation}/{method}/{fitted}.record.json",
        restored=ancient("results/restored/{dataset}/{degradation}/{method}/{fitted}.zarr"),
        thin_record="results/thin/{dataset}.record.json",
        thin=ancient("results/thin/{dataset}.zarr"),
        labels_record="results/labels/{dataset}.record.json",
        labels=ancient("results/labels/{dataset}.npz"),
        segmenter_record="results/segmenters/{dataset}.record.json",
        segmenter=ancient("results/segmenters/{dataset}.pt"),
    output:
        scores="results/segmented/{dataset}/{degradation}/{method}/{fitted}.csv",
        record="results/segmented/{dataset}/{degradation}/{method}/{fitted}.record.json",
    log:
        "results/logs/segment/{dataset}/{degradation}/{method}/{fitted}.log",
    benchmark:
        "results/benchmarks/segment/{dataset}/{degradation}/{method}/{fitted}.tsv"
    conda:
        "../envs/thinslice.yaml"
    threads: cores("segment")
    resources:
        **reserve("segment"),
        **reserve_gpus(any_gpu),
    params:
        card=cards.segmentation_card(config),
        device=engine.derived(lambda w: config["device"]),
        cell=cell_card,
        code=code("segment.py"),
    shell:
        r"""
        python "$HERE"/workflow_scripts/segment.py --card {params.card:q} --cell {params.cell:q} \
            --restored {input.restored:q} --thin {input.thin:q} --labels {input.labels:q} \
            --segmenter {input.segmenter:q} --threads {threads} --device {params.device:q} \
            --reserved-gpus {resources.gpu} --out {output.scores:q} &>{log:q}
        """
