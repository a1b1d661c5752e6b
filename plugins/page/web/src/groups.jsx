/* Alerts counted by what they have in common; one click shows those of a group alone. */
import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { ask } from "./api.js";
import { countryName } from "./event.js";
import { alerts, every, filter, loadAlerts } from "./state.js";
import { count, safe } from "./text.js";

export const groupings = {
    sid: ["Rule", "alert.signature_id"], src_ip: ["Source", "src_ip"], dest_ip: ["Destination", "dest_ip"],
    src_country: ["Country", "ecyber.geoip.src.country"],
};
export const grouping = signal("");     /* one of them, "": the alerts themselves */
const list = signal({ state: "loading", rows: [], why: "" });

async function load() {
    const name = grouping.value;
    const query = new URLSearchParams({ by: groupings[name][1], limit: 30 });

    for (const key of ["q", "ip", "severity", ...Object.keys(groupings)])
        if (filter.value[key])
            query.set(key, filter.value[key]);
    try {
        const answer = await ask(`/api/ids/alerts/groups?${query}`);

        if (name === grouping.value)
            list.value = { state: "ready", rows: answer.items, why: "" };
    } catch (error) {
        if (name === grouping.value)
            list.value = { state: "error", rows: [], why: error.message };
    }
}

/* The store counts numbers of rules; their sentences are known from the alerts that were seen. */
const rules = new Map();

alerts.subscribe((seen) => seen.forEach((a) => rules.set(String(a.alert?.signature_id), a.alert?.signature)));

function groupName(name, value) {
    if (name === "src_country")
        return countryName(safe(value));
    if (name === "sid")
        return safe(rules.get(value)) || `Rule ${safe(value)}`;
    return safe(value) || "none";
}

/* What was counted is of every state. */
function pick(value) {
    filter.value = { ...filter.value, [grouping.value]: value, status: "" };
    grouping.value = "";
    loadAlerts();
}

/* What a group left in the filter, and how to take it out. */
export function Chips() {
    const left = Object.keys(groupings).filter((name) => filter.value[name]);

    return left.length > 0 && (
        <div class="chips">
            {left.map((name) => (
                <button key={name} type="button" class="chip" aria-label={`Show all again, not only ${groupings[name][0]} ${
                    safe(filter.value[name])}`}
                        onClick={() => { filter.value = { ...filter.value, [name]: "" }; loadAlerts(); }}>
                    {groupings[name][0]}: {groupName(name, filter.value[name])} <span aria-hidden="true">✕</span>
                </button>
            ))}
        </div>
    );
}

export function Groups() {
    const { state, rows, why } = list.value;
    const wanted = JSON.stringify([grouping.value, filter.value]);

    useEffect(() => {
        list.value = { state: "loading", rows: [], why: "" };
        return every(10000, load);
    }, [wanted]);
    return (
        <>
            {state === "loading" && <p class="empty">Counting…</p>}
            {state === "error" && <p class="empty wrong" role="alert">{safe(why)}</p>}
            {state === "ready" && rows.length === 0 && <p class="empty">Nothing to count here.</p>}
            <ol class="plain groups" aria-label={`Alerts by ${groupings[grouping.value][0].toLowerCase()}, of every state`}>
                {rows.map((r) => (
                    <li key={r.value}>
                        <button type="button" class="group" onClick={() => pick(r.value)}>
                            <span class={["src_ip", "dest_ip"].includes(grouping.value) ? "mono" : ""}>
                                {groupName(grouping.value, r.value)}
                            </span>
                            <span class="number">{count(r.count)}</span>
                        </button>
                    </li>
                ))}
            </ol>
        </>
    );
}
