import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { ask } from "./api.js";
import { countryName } from "./event.js";
import { every } from "./state.js";
import { count, safe } from "./text.js";

const kinds = {
    src_ip: "Sources",
    dest_ip: "Destinations",
    src_country: "Countries",
    app_proto: "Protocols",
};

const kind = signal("src_ip");
const list = signal({ state: "loading", rows: [], why: "" });

async function load() {
    const by = kind.value;

    try {
        const answer = await ask(`/api/network/top?by=${by}&limit=8`);

        if (by === kind.value)
            list.value = { state: "ready", rows: answer.items ?? [], why: "" };
    } catch (error) {
        if (by === kind.value)
            list.value = { state: "error", rows: [], why: error.message };
    }
}

function choose(name) {
    kind.value = name;
    list.value = { state: "loading", rows: [], why: "" };
    load();
}

function Entry({ row, most }) {
    return (
        <li class="top-row">
            <svg class="top-bar" viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true">
                <rect width={Math.max((row.count / most) * 100, 0.5)} height="1" />
            </svg>
            <span class={kind.value === "src_country" ? "" : "mono"}>
                {kind.value === "src_country" ? countryName(safe(row.value)) : safe(row.value) || "none"}
            </span>
            <span class="number">{count(row.count)}</span>
        </li>
    );
}

export function Top() {
    useEffect(() => every(10000, load), []);
    const { state, rows, why } = list.value;

    return (
        <section class="panel" aria-labelledby="top-title">
            <div class="panel-head">
                <h2 id="top-title">Most flows</h2>
                <div class="choices" role="group" aria-label="Most flows by">
                    {Object.entries(kinds).map(([name, text]) => (
                        <button key={name} type="button" class="quiet" aria-pressed={kind.value === name}
                                onClick={() => choose(name)}>
                            {text}
                        </button>
                    ))}
                </div>
            </div>
            {state === "loading" && <p class="empty">Loading…</p>}
            {state === "error" && <p class="empty wrong">{safe(why)}</p>}
            {state === "ready" && rows.length === 0 && (
                <p class="empty">{kind.value === "src_country"
                    ? "No country known: name a database under geoip in the configuration, or wait."
                    : "No flow has ended yet."}</p>
            )}
            <ol class="plain">{rows.map((r) => <Entry key={r.value} row={r} most={rows[0].count} />)}</ol>
        </section>
    );
}
