"""How alike the enrolled fingerprints are: a heat-map, a tree, and names that are one generator."""

from __future__ import annotations

import streamlit as st

from frontend.charts import show_chart
from frontend.charts.fingerprints import draw_correlations, draw_tree
from frontend.formatting import count, number
from frontend.session import client
from frontend.texts import plain, say, say_text


def show_comparison(denoiser: str) -> None:
    """The matrix of one denoiser, also as a table, and what cannot be told apart."""
    found = client().compare_fingerprints(denoiser=denoiser)
    names = [str(found["names"][place]) for place in found["order"]]
    matrix = [[found["correlation"][row][column] for column in found["order"]] for row in found["order"]]
    for pair in found["indistinguishable"]:
        figures = {"correlation": number(pair["correlation"]), "shared": count(pair["shared_images"])}
        st.warning(say("fingerprints.same", first=pair["first"], second=pair["second"], **figures))
    if len(names) < 2:
        st.info(say("fingerprints.compare.few"))
        return
    lines = [
        f"{name}: {', '.join(f'{other} {number(value, 2)}' for other, value in zip(names, row, strict=True))}"
        for name, row in zip(names, matrix, strict=True)
    ]
    alternative = say_text("fingerprints.compare.alternative", rows="; ".join(lines))
    show_chart(draw_correlations(names, matrix), say("fingerprints.compare.reading"), alternative)
    tree = draw_tree(found["names"], found["order"], found["linkage"])
    show_chart(
        tree, say("fingerprints.tree.reading"), say_text("fingerprints.tree.alternative", names=", ".join(names))
    )
    with st.expander(say("fingerprints.compare.table")):
        columns = {say("fingerprints.column.generator"): [plain(name) for name in names]}
        for place, name in enumerate(names):
            columns[plain(name)] = [number(row[place]) for row in matrix]
        st.table(columns, border="horizontal", hide_index=True, alt=say_text("fingerprints.compare.table"))
