import { useState } from "preact/hooks";
import { ask } from "./api.js";
import { drops } from "./drops.js";
import { rates, stats, statsError } from "./state.js";
import { count, plural, rate, safe, span } from "./text.js";

function Tile({ label, value, note, tone, open, onToggle, controls }) {
    const inside = (
        <>
            <span class="tile-label">{label}</span>
            <span class={`tile-value${tone ? ` is-${tone}` : ""}`}>{value}</span>
            <span class="tile-note">{note}</span>
        </>
    );

    if (!onToggle)
        return <div class="tile">{inside}</div>;
    return (
        <button type="button" class="tile" aria-expanded={open} aria-controls={controls} onClick={onToggle}>
            {inside}
        </button>
    );
}

function DropTable({ account, rows }) {
    return (
        <div class="panel drops" id="drops">
            <h2>What was lost, and why</h2>
            {rows.length === 0
                ? <p class="soft">Nothing: every packet and every event is accounted for.</p>
                : (
                    <table>
                        <thead>
                            <tr><th>Where</th><th>Why</th><th class="number">How many</th><th>What helps</th></tr>
                        </thead>
                        <tbody>
                            {rows.map((r) => (
                                <tr key={r.layer + r.reason}>
                                    <td>{safe(r.layer)}</td><td>{safe(r.reason)}</td>
                                    <td class="number">{count(r.n)}</td><td class="soft">{safe(r.advice)}</td>
                                </tr>
                            ))}
                        </tbody>
                    </table>
                )}
            <p class="soft small">
                {account.why ?? (account.exact ? "An exact account, taken when this was opened." :
                    "Counters as they stand; the daemon was too busy for an exact account.")}
            </p>
        </div>
    );
}

export function Strip() {
    const [account, setAccount] = useState(null);
    const s = stats.value;
    const none = statsError.value ? "not known" : "loading";
    const rows = s ? drops(s) : [];
    const lost = rows.reduce((sum, r) => sum + r.n, 0);
    const plugins = s?.plugins ?? [];
    const running = plugins.filter((p) => p.status === "running").length;
    const out = plugins.length - running;
    const sources = (s?.packets ?? []).map((w) => w.status);

    async function toggle() {
        if (account)
            return setAccount(null);
        setAccount({ ...s, exact: false, why: "Taking an exact account…" });
        try {
            const exact = await ask("/api/system/drops");

            return setAccount({ metrics: s?.metrics, ...exact });
        } catch (error) {
            return setAccount({ ...s, exact: false, why: error.message });
        }
    }
    return (
        <section class="strip-place" aria-label="State">
            <div class="strip">
                <Tile label="Packets/s" value={rates.value.packets === null ? "–" : rate(rates.value.packets)}
                      note={s ? `${count(sources.length)} × ${safe(sources[0] ?? "no source")}` : none} />
                <Tile label="Alerts/s" value={rates.value.alerts === null ? "–" : rate(rates.value.alerts)}
                      note={s ? `${count(s.metrics?.ids?.alerts ?? 0)} since the start` : none} />
                <Tile label="Dropped" value={s ? rate(lost) : "–"} tone={lost ? "warn" : ""} open={account !== null}
                      controls="drops" onToggle={s ? toggle : undefined}
                      note={!s ? none : lost ? `mostly ${safe(rows[0].reason)}: why?` : "nothing: show"} />
                <Tile label="Plugins" value={s ? `${running}/${plugins.length}` : "–"}
                      tone={out ? "warn" : ""}
                      note={!s ? none : out ? `${plural(out, "is", "are")} left out` : "all run"} />
                <Tile label="Up" value={s ? span(s.uptime_s ?? 0) : "–"}
                      note={s ? `eCyber ${safe(s.version)}` : none} />
            </div>
            {account && <DropTable account={account} rows={drops(account)} />}
        </section>
    );
}
