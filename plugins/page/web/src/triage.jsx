/* What people make of an alert: acknowledged, closed, a false positive; with a note and a way back. */
import { useId, useState } from "preact/hooks";
import { tell } from "./api.js";
import { say } from "./notice.jsx";
import { me, restate } from "./state.js";
import { moment, safe, when } from "./text.js";

export const states = {
    open: "Open", acknowledged: "Acknowledged", closed: "Closed", false_positive: "False positive",
};
const steps = [
    ["acknowledged", "Acknowledge", "a"], ["closed", "Close", "c"], ["false_positive", "False positive", "f"],
    ["open", "Open again", "o"],
];
const said = {
    open: "is open again", acknowledged: "is acknowledged", closed: "is closed", false_positive: "is a false positive",
};

export const stateOf = (event) => event.state ?? "open";

export function mayTriage() {
    return /\b(admin|operator|analyst)\b/.test(me.value?.roles ?? "");
}

/* An If-Match with the version that is shown: who was faster is not overwritten, but told. */
async function send(event, wish) {
    const answer = await tell("PATCH", `/api/ids/alerts/${event.id}`, wish, `"${event.state_version ?? 0}"`);

    restate(answer);
    return { ...event, ...answer };
}

export async function triage(event, wish) {
    const before = stateOf(event);

    try {
        const now = await send(event, wish);

        say(`“${safe(event.alert?.signature)}” ${said[now.state]}.`,
            before === now.state ? {} : { undo: () => triage(now, { state: before }) });
        return true;
    } catch (error) {
        say(error.message, { bad: true });
        return false;
    }
}

/* One key on an alert of the list. True: it was one of these. */
export function triageKey(event, key) {
    const step = steps.find((s) => s[2] === key);

    if (!step || !mayTriage() || event.id === undefined || step[0] === stateOf(event))
        return false;
    triage(event, { state: step[0] });
    return true;
}

export function Badge({ event }) {
    const state = stateOf(event);

    return state === "open" ? null : <span class={`state state-${state}`}>{states[state] ?? safe(state)}</span>;
}

function Past({ event }) {
    return event.state_by === undefined
        ? <p class="soft">Nobody has looked at it yet.</p>
        : (
            <>
                <p>
                    <b>{states[stateOf(event)]}</b>{" "}
                    <span class="soft">by {safe(event.state_by)}, {when(moment(event.state_at))}</span>
                </p>
                {event.state_note && <p class="state-note">{safe(event.state_note)}</p>}
            </>
        );
}

export function Triage({ event }) {
    const [note, setNote] = useState("");
    const [busy, setBusy] = useState(false);
    const field = useId();

    async function step(e, state) {
        e.preventDefault();
        setBusy(true);
        if (await triage(event, { ...(state && { state }), ...(note.trim() && { note: note.trim() }) }))
            setNote("");
        setBusy(false);
    }
    return (
        <>
            <h3>State</h3>
            <Past event={event} />
            {mayTriage() && event.id !== undefined && (
                <form class="triage" aria-label="State of the alert" onSubmit={(e) => note.trim() && step(e, null)}>
                    <label class="hidden" for={field}>Note</label>
                    <input id={field} type="text" placeholder="Note" maxlength={1000} value={note}
                           onInput={(e) => setNote(e.target.value)} />
                    <div class="buttons">
                        {steps.filter(([state]) => state !== stateOf(event)).map(([state, text, key]) => (
                            <button key={state} type="button" disabled={busy} title={`Key ${key} in the list`}
                                    onClick={(e) => step(e, state)}>
                                {text}
                            </button>
                        ))}
                        {note.trim() && <button type="submit" disabled={busy}>Keep the note</button>}
                    </div>
                </form>
            )}
        </>
    );
}
