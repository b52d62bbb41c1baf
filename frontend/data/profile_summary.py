"""The first part of a data set's page: the audit's findings, what stands out, and how many images of what."""

from __future__ import annotations

import math

import streamlit as st

from frontend.charts import show_chart
from frontend.charts.profile import draw_counts
from frontend.data.findings import show_findings
from frontend.data.profile_facts import (
    LABELS,
    both_classes,
    findings_of,
    grey_ratio,
    in_split_order,
    sizes_apart,
    values_apart,
)
from frontend.formatting import count, rate
from frontend.texts import say, say_text
from frontend.transport import Json

GREY_WORTH_SAYING = 2.0
"""Near-grey images that often among one class as among the other are named among what stands out."""


def show_summary(dataset: Json, profile: Json) -> None:
    """Findings first, then the counts."""
    if findings := findings_of(profile):
        st.subheader(say("profile.audit"))
        show_findings(findings)
    if (profile.get("audit") or {}).get("file") is None:  # no audit that says all of this and more
        show_remarks(remarks_on(profile))
    elif not findings:
        st.success(say("train.audit.clean"), icon=":material/check_circle:")
    st.subheader(say("profile.counts"))
    splits = {split: dataset["counts"][split] for split in in_split_order(dataset["counts"])}
    show_chart(draw_counts(splits), say("profile.counts.reading"), say_text("profile.counts.alt"))
    named = {name: number for name, number in dataset["generators"].items() if name}
    if named:
        unnamed = dataset["generators"].get("")
        generators = named | ({say_text("unknown"): unnamed} if unnamed else {})
        bars = {name: {"FAKE": number} for name, number in sorted(generators.items(), key=lambda pair: -pair[1])}
        show_chart(
            draw_counts(bars, named=False), say("profile.generators.reading"), say_text("profile.generators.alt")
        )
    else:
        st.caption(say("profile.generators.unknown"))


def show_remarks(remarks: list[str]) -> None:
    """What stands out in the figures themselves, or that nothing does."""
    st.subheader(say("profile.notable"))
    for remark in remarks:
        st.warning(remark, icon=":material/priority_high:")
    if not remarks:
        st.success(say("profile.nothing_notable"), icon=":material/check_circle:")


def remarks_on(profile: Json) -> list[str]:
    """What in the profile would mislead a detector or its figures, a sentence each (Markdown)."""
    if not both_classes(profile):
        return [say("remark.one_class"), *_remarks_on_duplicates(profile)]
    remarks = []
    if sizes_apart(profile):
        remarks.append(say("remark.sizes"))
    if values_apart(profile["formats"]):
        remarks.append(say("remark.formats"))
    if values_apart(profile["jpeg_quality"]):
        remarks.append(say("remark.qualities"))
    grey = grey_sentence(profile)
    ratio = grey_ratio(profile)
    if ratio is not None and ratio[1] >= GREY_WORTH_SAYING:
        remarks.append(grey)
    real, fake = (int(profile["counts"]["by_class"][label]) for label in LABELS)
    if max(real, fake) > 3 * min(real, fake):
        remarks.append(say("remark.unbalanced", real=count(real), fake=count(fake)))
    return remarks + _remarks_on_duplicates(profile)


def grey_sentence(profile: Json) -> str:
    """How often either class is near-grey (Markdown)."""
    found = grey_ratio(profile)
    if found is None:
        return say("grey.none")
    by_class = profile["near_grey"]["by_class"]
    shares = {label.lower(): rate(by_class[label]["share"]) for label in LABELS}
    label, times = found
    if math.isinf(times):
        return say("grey.only", label=label, **shares)
    if round(times, 1) == 1.0:
        return say("grey.equal", **shares)
    return say("grey.times", label=label, times=f"{times:.1f}" if times < 9.95 else f"{times:.0f}", **shares)


def _remarks_on_duplicates(profile: Json) -> list[str]:
    duplicates = profile["duplicates"]
    remarks = []
    if duplicates["crossing_train_test"]:
        remarks.append(say("remark.crossing", count=count(duplicates["crossing_train_test"])))
    if duplicates["conflicting_labels"]:
        remarks.append(say("remark.conflicting", count=count(duplicates["conflicting_labels"])))
    return remarks
