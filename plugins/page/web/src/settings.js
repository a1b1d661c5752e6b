/* What /api/settings says of the page: how this eCyber is called, and how long a session lasts that nobody uses. */
import { signal } from "@preact/signals";
import { ask, leave, session } from "./api.js";
import { plural, safe } from "./text.js";

const LOOK = 5000;                      /* how often the time without use is looked at */
const uses = ["keydown", "pointerdown", "pointermove", "wheel", "touchstart"];

export const systemName = signal("eCyber");

let minutes = 0;                        /* 0: not known, no bound of the page's own */
let used = Date.now();

export async function loadSettings() {
    try {
        const all = await ask("/api/settings");

        systemName.value = safe(all.system_name?.value) || "eCyber";
        minutes = all.session_timeout?.value ?? 0;
    } catch {
        /* without them the page goes on with what it knew */
    }
    document.title = systemName.value;
}

/* Date, not performance: the time in which a machine slept counts. */
function look() {
    if (session.value && minutes && Date.now() - used >= minutes * 60000)
        leave(`Nobody used this page for ${plural(minutes, "minute")}. Log in again.`);
}

/* Returns how to end it. */
export function watchUse() {
    const note = () => { used = Date.now(); };
    const timer = setInterval(look, LOOK);

    note();
    uses.forEach((name) => addEventListener(name, note, { passive: true, capture: true }));
    document.addEventListener("visibilitychange", look);
    return () => {
        clearInterval(timer);
        uses.forEach((name) => removeEventListener(name, note, { capture: true }));
        document.removeEventListener("visibilitychange", look);
    };
}
