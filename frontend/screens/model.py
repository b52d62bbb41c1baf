"""One model: what it is, how good it is, and the images that it gets right and wrong."""

from __future__ import annotations

import streamlit as st

from frontend.data.findings import SERIOUS, words_of
from frontend.formatting import count, duration, moment, percent, size
from frontend.models.actions import show_delete, show_export, show_use
from frontend.models.comparison import flatten, setting_name
from frontend.models.confusion import show_confusion
from frontend.models.enrolment import show_enrolment
from frontend.models.figures import show_result
from frontend.models.held_out import show_held_out
from frontend.models.robustness import show_robustness
from frontend.models.trust import show_trust
from frontend.session import asked, client, run_page, show_error
from frontend.texts import plain, say, say_known, say_text
from frontend.transport import ApiError, Json

DETAILS = (
    "id",
    "digest",
    "dataset",
    "backbone",
    "backbone_digest",
    "extractor",
    "config.finetune",
    "finetuned.best_epoch",
    "finetuned.images",
    "finetuned.device",
    "head.name",
    "head.kind",
    "head.chosen.C",
    "activation",
    "loss",
    "threshold",
    "unsure_band",
    "calibration.kind",
    "calibration.a",
    "calibration.b",
    "calibration.losses",
    "config.head",
    "config.validation_fraction",
    "config.test_fraction",
    "config.target_fpr",
    "config.doubt",
    "config.evaluate_test",
    "config.measure_limits",
    "seed",
    "machine",
    "versions",
)


def show_page() -> None:
    """The page from top to bottom."""
    st.page_link("screens/models.py", label=say("compare.back"), icon=":material/arrow_back:")
    if not asked():
        st.info(say("model.which"))
        return
    card = client().model(asked())
    st.title(plain(str(card["name"])))
    if card.get("notes"):
        st.text(card["notes"])
    with st.container(horizontal=True, vertical_alignment="center"):
        used = show_use(card)
        show_export(card)
        show_edit(card)
        deleted = show_delete(card)
    if deleted:
        st.switch_page("screens/models.py")
    if used:
        st.rerun()
    show_description(card)
    show_result(card)
    show_held_out(card)
    show_enrolment(card)
    show_trust(card)
    show_confusion(card)
    show_robustness(card)
    show_details(card)


def show_edit(card: Json) -> None:
    """A form for the name and the notes; what is typed stays where the service refuses it."""
    with st.popover(say("model.edit"), icon=":material/edit:"):
        with st.form(f"edit.{card['id']}", border=False, enter_to_submit=False):
            name = st.text_input(say("model.name"), str(card["name"]), max_chars=100, key=f"name.{card['id']}")
            notes = st.text_area(say("model.notes"), str(card["notes"]), max_chars=10_000, key=f"notes.{card['id']}")
            if not st.form_submit_button(say("model.save"), type="primary"):
                return
        try:
            client().update_model(str(card["id"]), name=(name or "").strip(), notes=notes or "")
        except ApiError as error:
            show_error(error)
        else:
            st.toast(say("model.saved"))
            st.rerun()


def show_description(card: Json) -> None:
    """The card in plain words, ending with what the model cannot know."""
    data, train = card["dataset"], card["metrics"].get("train")
    generators = ", ".join(card["generators"])
    lines = []
    if data:
        lines.append(say("model.learnt", dataset=data["name"], version=data["version"], images=count(data["images"])))
    if train:
        lines.append(say("model.trained_on", real=count(train["counts"]["REAL"]), fake=count(train["counts"]["FAKE"])))
        if (card.get("fitted_on") or train["n"]) < train["n"]:
            lines.append(say("model.sampled", fitted=count(card["fitted_on"])))
    if generators:
        lines.append(say("model.generators", generators=generators))
    head = say_known(f"model.head.{card['head']['name']}", str(card["head"]["name"]))
    if tuned := card.get("finetuned"):
        lines.append(say("model.finetuned", epoch=count(tuned["best_epoch"]), images=count(tuned["images"])))
    if card["backbone"]:
        lines.append(say("model.network", backbone=card["backbone"], head=head))
    else:
        spec = card["extractor"].get("spec") or card["extractor"]
        names = " + ".join(str(part["name"]) for part in spec.get("parts") or [spec])
        lines.append(say("model.features", extractor=names, head=head))
    serious = [found for found in card.get("audit") or () if found["severity"] in SERIOUS]
    if serious:
        lines.append(say("model.audit", findings="; ".join(words_of(found)[0] for found in serious)))
    low, high = (percent(float(end)) for end in card["unsure_band"])
    lines.append(say("model.threshold", threshold=percent(float(card["threshold"])), low=low, high=high))
    made = {"date": moment(card["created_at"]), "time": duration(_seconds(card)), "size": size(int(card["size_bytes"]))}
    lines.append(say("model.made", **made))
    st.markdown("\n".join(f"* {line}" for line in lines))
    unknown = say("model.knows_these", generators=generators) if generators else say("model.knows_unnamed")
    unknown += " " + say("model.fooled_by")
    if sides := card.get("sides"):
        unknown += " " + say("model.sizes", sides="–".join(str(side) for side in dict.fromkeys(sides)))
    st.info(f"**{say('model.unknown_title')}** {unknown}", icon=":material/info:")


def _seconds(card: Json) -> float | None:
    known = [float(value) for value in card["timings"].values() if value is not None]
    return sum(known) if known else None


def show_details(card: Json) -> None:
    """Every setting, digest, version and time of the card, for those who want to make it again."""
    with st.expander(say("model.details")):
        settings = {key: value for key, value in card.items() if key != "metrics"}
        leaves = {name: value for name, value in flatten(settings).items() if _is_detail(name)}
        times = {f"timings.{name}": duration(value) for name, value in card["timings"].items()}
        rows = leaves | times
        table = {
            say("compare.setting"): [plain(setting_name(name)) for name in rows],
            say("model.value"): [plain(value) for value in rows.values()],
        }
        st.table(table, border="horizontal", hide_index=True, alt=say_text("model.details"))


def _is_detail(name: str) -> bool:
    return any(name == detail or name.startswith(f"{detail}.") for detail in DETAILS)


run_page(show_page)
