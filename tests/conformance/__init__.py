"""
Cases that others wrote, asked of this library through its public names.

`python -m tests.conformance FILE...` runs any file of the two shapes: a list of
`{id, kind, input, expect, source, note}`, or `{description, provenance, cases}`.

    cases      files into cases, and the kind of each
    verdicts   what counts as the same answer, and which differences are on purpose
    reading    targets, lengths and counts as files write them
    figures    one window's figures by the names that files give them
    spans      windows at an instant
    answering  what adapters of figures share
    peers, slices, burn_kinds, composites, kibana, slo_generator, openslo, burn_tables
               adapters: they translate, and compute nothing
    servers    Prometheus and Alertmanager
    runner     adapters to cases, verdicts to lines
"""
