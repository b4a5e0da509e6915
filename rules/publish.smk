"""
Answers from the evidence, typeset.

    results/tables/{analysis}.csv, .md, .tex    full precision; and as people read them
    results/figures/{figure}.png, .pdf
    results/figures/panels_{dataset}.png, .pdf  one test case by every method, in three planes
    results/figures/patches_{dataset}.png, .pdf parts of it enlarged, where the config has patches
    results/report.html                         all of it on one page
"""


rule analyse:
    """Answer one question from the evidence, as a table."""
    input:
        "results/evidence/evidence.record.json",
    output:
        table=report(
            "results/tables/{analysis}.csv", category="Tables", labels={"analysis": "{analysis}"}
        ),
        markdown="results/tables/{analysis}.md",
        latex="results/tables/{analysis}.tex",
        record="results/tables/{analysis}.record.json",
    log:
        "results/logs/analyse/{analysis}.log",
    conda:
        "../envs/thinslice.yaml"
    threads: 1
    resources:
        gpu=0,
        mem_mb=memory("analyse"),
        runtime=minutes("analyse"),
    params:
        card=analysis_card,
        code=code("analyse.py"),
    shell:
        r"""
        python "$HERE"/workflow_scripts/analyse.py --card {params.card:q} --evidence results/evidence \
            --out {output.table:q} &>{log:q}
        """


rule figure:
    """Draw one figure from one table."""
    input:
        lambda w: f"results/tables/{config['figures'][w.figure]['table']}.record.json",
    output:
        png=report(
            "results/figures/{figure}.png", category="Figures", labels={"figure": "{figure}"}
        ),
        pdf="results/figures/{figure}.pdf",
        record="results/figures/{figure}.record.json",
    log:
        "results/logs/figure/{figure}.log",
    conda:
        "../envs/thinslice.yaml"
    threads: 1
    resources:
        gpu=0,
        mem_mb=memory("figure"),
        runtime=minutes("figure"),
    params:
        card=figure_card,
        code=code("figure.py"),
    shell:
        r"""
        python "$HERE"/workflow_scripts/figure.py --card {params.card:q} --tables results/tables \
            --out {output.png:q} &>{log:q}
        """


rule panels:
    """Show the first test case of one dataset: thin, thick and restored, in three planes; or patches
    of it, enlarged."""
    input:
        thin_record="results/thin/{dataset}.record.json",
        thin=lambda w: ancient(f"results/thin/{w.dataset}.zarr") if shown(w).truth else [],
        thick_record=lambda w: f"results/thick/{shown(w).path_of_thick}.record.json",
        thick=lambda w: ancient(f"results/thick/{shown(w).path_of_thick}.zarr"),
        restored_records=lambda w: [
            f"results/restored/{cell.path}.record.json" for cell in shown(w).cells
        ],
        restored=lambda w: [
            ancient(f"results/restored/{cell.path}.zarr") for cell in shown(w).cells
        ],
    output:
        png=report(
            "results/figures/{picture}_{dataset}.png",
            category="Figures",
            labels={"figure": "{picture}, {dataset}"},
        ),
        pdf="results/figures/{picture}_{dataset}.pdf",
        record="results/figures/{picture}_{dataset}.record.json",
    log:
        "results/logs/{picture}/{dataset}.log",
    conda:
        "../envs/thinslice.yaml"
    threads: 1
    resources:
        gpu=0,
        mem_mb=memory("panels"),
        runtime=minutes("panels"),
    params:
        sim=lambda w: shown(w).sim,
        names=lambda w: [cell.method for cell in shown(w).cells],
        card=picture_card,
        code=code("panels.py"),
    shell:
        r"""
        python "$HERE"/workflow_scripts/panels.py --card {params.card:q} \
            --sim={params.sim:q} --names {params.names:q} \
            --thin {input.thin:q} --thick {input.thick:q} --restored {input.restored:q} \
            --out {output.png:q} &>{log:q}
        """


rule page:
    """Everything on one page that opens anywhere."""
    input:
        tables=collect("results/tables/{a}.record.json", a=config["analyses"]),
        figures=collect("results/figures/{f}.record.json", f=config["figures"]),
        panels=collect("results/figures/{p}.record.json", p=panels.pictures(config)),
    output:
        page=report("results/report.html", category="Report"),
        record="results/report.record.json",
    log:
        "results/logs/page.log",
    conda:
        "../envs/thinslice.yaml"
    threads: 1
    resources:
        gpu=0,
        mem_mb=memory("page"),
        runtime=minutes("page"),
    params:
        code=code("page.py"),
    shell:
        r"""
        python "$HERE"/workflow_scripts/page.py --tables {input.tables:q} --figures {input.figures:q} \
            {input.panels:q} --evidence results/evidence --out {output.page:q} &>{log:q}
        """
