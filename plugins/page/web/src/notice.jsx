/* One sentence about what was done, with the way back where there is one. */
import { signal } from "@preact/signals";
import { safe } from "./text.js";

const notice = signal(null);    /* {text, bad, undo} */
let timer = 0;

export function say(text, { bad = false, undo = null } = {}) {
    clearTimeout(timer);
    notice.value = { text, bad, undo };
    timer = setTimeout(() => { notice.value = null; }, undo ? 20000 : 8000);
}

export function Notice() {
    const n = notice.value;

    return (
        <div class="notice-place" role="status">
            {n && (
                <div class={`notice${n.bad ? " is-bad" : ""}`}>
                    <span>{safe(n.text)}</span>
                    {n.undo && <button type="button" onClick={() => { notice.value = null; n.undo(); }}>Undo</button>}
                    <button type="button" class="quiet" aria-label="Dismiss" onClick={() => { notice.value = null; }}>
                        <span aria-hidden="true">✕</span>
                    </button>
                </div>
            )}
        </div>
    );
}
