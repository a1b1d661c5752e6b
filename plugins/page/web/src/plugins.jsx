import { stats, statsError } from "./state.js";
import { safe } from "./text.js";

function Entry({ plugin }) {
    const fine = plugin.status === "running";

    return (
        <li class={`plugin${fine ? "" : " is-out"}`}>
            <b>{safe(plugin.name)}</b>
            <span class="plugin-state">{safe(plugin.status)}</span>
            <span class="soft plugin-what">{safe(plugin.summary)}</span>
            {plugin.why && <span class="plugin-why">{safe(plugin.why)}</span>}
        </li>
    );
}

export function Plugins() {
    const list = stats.value?.plugins;
    const sorted = list && [...list].sort((a, b) =>
        (a.status === "running") - (b.status === "running") || a.name.localeCompare(b.name));

    return (
        <section class="panel" aria-labelledby="plugins-title">
            <div class="panel-head"><h2 id="plugins-title">Plugins</h2></div>
            {sorted
                ? <ul class="plain">{sorted.map((p) => <Entry key={p.name} plugin={p} />)}</ul>
                : <p class="empty">{statsError.value ? "Not known." : "Loading…"}</p>}
        </section>
    );
}
