"""Pictures pasted with Ctrl+V anywhere on the page, which Streamlit's own widgets do not take."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable

import streamlit as st

KEY = "paste"
MOST_MIB = 95
"""Of one paste, and of one file in the uploader."""

# The listener is the document's own; the element remembers it, so that a mount replaces it and never adds a second.
SCRIPT = """
const MOST = MOST_BYTES;
const read = (file) => new Promise((resolve, reject) => {
  const reader = new FileReader();
  reader.onload = () => resolve({ name: file.name, data: reader.result.slice(reader.result.indexOf(",") + 1) });
  reader.onerror = () => reject(reader.error);
  reader.readAsDataURL(file);
});
export default function (component) {
  const { parentElement, setTriggerValue } = component;
  const listen = async (event) => {
    const files = [...(event.clipboardData?.files ?? [])].filter((file) => file.type.startsWith("image/"));
    if (!files.length) return;
    event.preventDefault();
    const id = `${Date.now()}-${Math.random()}`;
    const total = files.reduce((sum, file) => sum + file.size, 0);
    const pictures = total > MOST ? [] : await Promise.all(files.map(read));
    setTriggerValue("pasted", { id, pictures, too_large: total > MOST });
  };
  if (parentElement.pasteListener) document.removeEventListener("paste", parentElement.pasteListener);
  parentElement.pasteListener = listen;
  document.addEventListener("paste", listen);
  return () => document.removeEventListener("paste", listen);
}
""".replace("MOST_BYTES", str(MOST_MIB * 2**20))


def listen_for_paste(add: Callable[[str, bytes], None]) -> bool:
    """Hands each picture of a new paste to `add(name, content)`; False where the paste was too large to take."""
    mount = st.components.v2.component("deepfake_paste", js=SCRIPT)  # not at import: a server must be running
    pasted = mount(key=KEY, on_pasted_change=_nothing, height="content").pasted
    if not isinstance(pasted, dict) or pasted.get("id") == st.session_state.get("paste.last"):
        return True
    st.session_state["paste.last"] = pasted.get("id")  # a rerun sees the same paste again
    for picture in pasted.get("pictures") or ():
        try:
            content = base64.b64decode(str(picture["data"]), validate=True)
        except (binascii.Error, KeyError, TypeError):
            continue  # a browser's extension, or nobody's fault: there is no picture in it
        add(str(picture.get("name") or ""), content)
    return not pasted.get("too_large")


def _nothing() -> None:
    """The component reports a paste only where somebody listens for it."""
