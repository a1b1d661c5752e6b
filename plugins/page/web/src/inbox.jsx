import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { country, countryName, severities, severity } from "./event.js";
import { Chips, grouping, groupings, Groups } from "./groups.jsx";
import { alerts, filter, filtered, inbox, loadAlerts, loadOlder, noFilter, paused, setPaused, waiting } from "./state.js";
import { endpoint, moment, plural, safe, when } from "./text.js";
import { Badge, states, triageKey } from "./triage.jsx";
import { Why } from "./why.jsx";

const open = signal(null);      /* id of the alert whose why is shown */

export function Country({ code }) {
    return code ? <abbr class="country" title={countryName(code)}>{code}</abbr> : null;
}

function Side({ event, side }) {
    return (
        <span class="side">
            <Country code={country(event, side)} />
            <span class="mono">{endpoint(event[`${side}_ip`], event[`${side}_port`])}</span>
        </span>
    );
}

/* Up and down go from alert to alert, as in a list of mail; a letter changes its state. */
function walk(event) {
    const heads = [...event.currentTarget.querySelectorAll(".alert-head")];
    const at = heads.indexOf(document.activeElement);

    if (at >= 0 && !event.ctrlKey && !event.altKey && !event.metaKey && triageKey(alerts.value[at], event.key)) {
        event.preventDefault();
        return;
    }
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: heads.length - 1 }[event.key];

    if (at < 0 || to === undefined || !heads[to])
        return;
    event.preventDefault();
    heads[to].focus();
}

function protocol({ app_proto: app, proto }) {
    return app && app !== "failed" ? app : proto;
}

function Alert({ event }) {
    const { id } = event;
    const shown = open.value === id;
    const level = severity(event);

    return (
        <li class={`alert severity-${level}${shown ? " is-open" : ""}`}>
            <button type="button" class="alert-head" aria-expanded={shown} aria-controls={`why-${id}`}
                    aria-keyshortcuts="a c f o"
                    onClick={() => { open.value = shown ? null : id; }}>
                <span class="level">{severities[level]}</span>
                <span class="signature">{safe(event.alert?.signature)} <Badge event={event} /></span>
                <time class="time mono" dateTime={safe(event.timestamp)}>{when(moment(event.timestamp))}</time>
                <span class="way">
                    <Side event={event} side="src" />
                    <span class="arrow" aria-label="to">→</span>
                    <Side event={event} side="dest" />
                    <span class="proto">{safe(protocol(event))}</span>
                </span>
            </button>
            {shown && <Why event={event} id={`why-${id}`} />}
        </li>
    );
}

function Filters() {
    const timer = useRef(0);

    function change(name, value, ms = 350) {
        filter.value = { ...filter.value, [name]: value };
        clearTimeout(timer.current);
        timer.current = setTimeout(loadAlerts, ms);
    }
    useEffect(() => () => clearTimeout(timer.current), []);
    return (
        <form class="filters" role="search" aria-label="Filter the alerts"
              onSubmit={(e) => { e.preventDefault(); loadAlerts(); }}>
            <input type="search" placeholder="Words" aria-label="Words that stand in the alert" maxlength={200}
                   value={filter.value.q} onInput={(e) => change("q", e.target.value.trim())} />
            <input type="search" placeholder="Address or network" aria-label="Address or network of either end"
                   maxlength={50} spellcheck={false}
                   value={filter.value.ip} onInput={(e) => change("ip", e.target.value.trim())} />
            <select aria-label="Severity"
                    value={filter.value.severity} onChange={(e) => change("severity", e.target.value, 0)}>
                <option value="">Any severity</option>
                {Object.entries(severities).map(([n, name]) => <option key={n} value={n}>{name}</option>)}
            </select>
            <select aria-label="State of the alerts"
                    value={filter.value.status} onChange={(e) => change("status", e.target.value, 0)}>
                <option value="">Any state</option>
                {Object.entries(states).map(([word, name]) => <option key={word} value={word}>{name}</option>)}
            </select>
            <select aria-label="Group the alerts"
                    value={grouping.value} onChange={(e) => { grouping.value = e.target.value; }}>
                <option value="">One by one</option>
                {Object.entries(groupings).map(([name, [text]]) => <option key={name} value={name}>By {text.toLowerCase()}</option>)}
            </select>
        </form>
    );
}

function Nothing() {
    return filtered()
        ? (
            <p class="empty">No alert fits this filter.{" "}
                <button type="button" onClick={() => { filter.value = noFilter; loadAlerts(); }}>
                    Show all
                </button>
            </p>
        )
        : <p class="empty">No alert yet. Rules watch; what they find appears here by itself.</p>;
}

function Failed({ why }) {
    return (
        <p class="empty" role="alert">
            <span class="wrong">{safe(why)}</span> <button type="button" onClick={loadAlerts}>Try again</button>
        </p>
    );
}

export function Inbox() {
    const { state } = inbox.value;

    return (
        <section class="panel inbox" id="alerts" tabIndex={-1} aria-labelledby="alerts-title"
                 aria-busy={state === "loading"}>
            <div class="panel-head">
                <h2 id="alerts-title">Alerts</h2>
                <Filters />
                <button type="button" aria-pressed={paused.value} onClick={() => setPaused(!paused.value)}>
                    {paused.value ? `Go on${waiting.value ? ` (${waiting.value} new)` : ""}` : "Pause"}
                </button>
            </div>
            <Chips />
            {grouping.value ? <Groups /> : <List />}
        </section>
    );
}

function List() {
    const { state, why, next, more } = inbox.value;
    const list = alerts.value;

    return (
        <>
            {state === "loading" && <p class="empty">Loading the alerts…</p>}
            {state === "error" && <Failed why={why} />}
            {state === "ready" && list.length === 0 && <Nothing />}
            {list.length > 0 && state !== "error" && (
                <ol class="alerts" onKeyDown={walk}>
                    {list.map((event) => <Alert key={event.id} event={event} />)}
                </ol>
            )}
            {next && state !== "loading" && (
                <div class="panel-foot">
                    <button type="button" disabled={more} onClick={loadOlder}>
                        {more ? "Loading…" : "Older alerts"}
                    </button>
                    <span class="soft">{plural(list.length, "alert")} shown</span>
                    {why && state === "ready" && <span class="wrong">{safe(why)}</span>}
                </div>
            )}
        </>
    );
}
