"""
Answers from the evidence, typeset.

    results/tables/{analysis}.csv, .md, .tex    full precision; and as people read them
    results/figures/{figure}.png, .pdf, .svg
    results/figures/panels_{dataset}.png, .pdf  one test case by every method, in three planes
    results/figures/patches_{dataset}.png, .pdf parts of it enlarged, where the config has patches
    results/figures/patches_{dataset}.csv       their PSNR and SSIM, where there are thin scans
    results/figures/relevance_{dataset}.png, .pdf, .npz    which reference counts where, if configured
    results/figures/slices_{dataset}.json       slices of test cases, for the viewer of the page
    results/report.html, README.txt             all of it on one page; a word to who gets the folder
"""


rule analyse:
    """Answer one question from the evidence, as a table."""
    input:
        "results/evidence/evidence.record.json",
    output:
        table=report(
            "results/tables/{analysis}.csv",
            caption="report/table.rst",
            category="Tables",
            labels={"analysis": "{analysis}"},
        ),
        markdown="results/tables/{analysis}.md",
        latex="results/tables/{analysis}.tex",
        record="results/tables/{analysis}.record.json",
    log:
        "results/logs/analyse/{analysis}.log",
    benchmark:
        "results/benchmarks/analyse/{analysis}.tsv"
    conda:
        "../envs/thinslice.yaml"
    resources:
        **reserve("analyse"),
    params:
        card=card_of("analyses", "analysis"),
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
            "results/figures/{figure}.png",
            caption="report/figure.rst",
            category="Figures",
            labels={"figure": "{figure}"},
        ),
        pdf="results/figures/{figure}.pdf",
        svg="results/figures/{figure}.svg",
        record="results/figures/{figure}.record.json",
    log:
        "results/logs/figure/{figure}.log",
    benchmark:
        "results/benchmarks/figure/{figure}.tsv"
    conda:
        "../envs/thinslice.yaml"
    resources:
        **reserve("figure"),
    params:
        card=card_of("figures", "figure"),
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
        unpack(shown_volumes),
    output:
        png=report(
            "results/figures/{picture}_{dataset}.png",
            caption="report/panels.rst",
            category="Figures",
            labels={"figure": "{picture}, {dataset}"},
        ),
        pdf="results/figures/{picture}_{dataset}.pdf",
        record="results/figures/{picture}_{dataset}.record.json",
    log:
        "results/logs/{picture}/{dataset}.log",
    benchmark:
        "results/benchmarks/{picture}/{dataset}.tsv"
    conda:
        "../envs/thinslice.yaml"
    resources:
        **reserve("panels"),
    params:
        sim=lambda w: panels_of(w.dataset).sim,
        names=lambda w: panels_of(w.dataset).names,
        card=lambda w: cards.picture_card(config, w.picture),
        code=code("panels.py"),
    shell:
        r"""
        python "$HERE"/workflow_scripts/panels.py --card {params.card:q} \
            --sim={params.sim:q} --names {params.names:q} \
            --thin {input.thin:q} --thick {input.thick:q} --restored {input.restored:q} \
            --out {output.png:q} &>{log:q}
        """


rule slices:
    """Pack slices of test cases, thin, thick and restored, for the viewer of the page."""
    input:
        unpack(shown_volumes),
    output:
        slices="results/figures/slices_{dataset}.json",
        record="results/figures/slices_{dataset}.record.json",
    log:
        "results/logs/slices/{dataset}.log",
    benchmark:
        "results/benchmarks/slices/{dataset}.tsv"
    conda:
        "../envs/thinslice.yaml"
    resources:
        **reserve("slices"),
    params:
        sim=lambda w: panels_of(w.dataset).sim,
        names=lambda w: panels_of(w.dataset).names,
        card=lambda w: cards.picture_card(config, "slices"),
        code=code("slices.py"),
    shell:
        r"""
        python "$HERE"/workflow_scripts/slices.py --card {params.card:q} \
            --sim={params.sim:q} --names {params.names:q} \
            --thin {input.thin:q} --thick {input.thick:q} --restored {input.restored:q} \
            --out {output.slices:q} &>{log:q}
        """


rule page:
    """Everything on one page that opens anywhere."""
    input:
        tables=collect("results/tables/{a}.record.json", a=config["analyses"]),
        figures=collect("results/figures/{f}.record.json", f=config["figures"]),
        panels=collect("results/figures/{p}.record.json", p=panels.pictures(config)),
        slices=collect("results/figures/{s}.record.json", s=panels.slices(config)),
    output:
        page=report("results/report.html", caption="report/page.rst", category="Report"),
        readme="results/README.txt",
        record="results/report.record.json",
    log:
        "results/logs/page.log",
    benchmark:
        "results/benchmarks/page.tsv"
    conda:
        "../envs/thinslice.yaml"
    resources:
        **reserve("page"),
    params:
        code=code("page.py"),
        assets=page_assets(),
    shell:
        r"""
        python "$HERE"/workflow_scripts/page.py --tables {input.tables:q} --figures {input.figures:q} \
            {input.panels:q} --slices {input.slices:q} --evidence results/evidence \
            --out {output.page:q} &>{log:q}
        """
