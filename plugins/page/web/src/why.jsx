/* Why an alert is one: what the rule said, which bytes fitted, whose flow, where from, how it was scored. */
import { Block } from "./block.jsx";
import { country, countryName, place, ruleParts, scoreOf } from "./event.js";
import { Triage } from "./triage.jsx";
import { bytes, dump, endpoint, fromBase64, fromHex, moment, plural, safe, when } from "./text.js";

function Dump({ data, label }) {
    const lines = dump(data);
    const width = lines[0]?.hex.length ?? 0;

    return (
        <pre class="dump" tabIndex={0} role="region" aria-label={label}>
            {lines.map((l) => `${l.at}  ${l.hex.padEnd(width)}  ${l.text}`).join("\n")}
        </pre>
    );
}

function Rule({ why, alert }) {
    return (
        <>
            <h3>
                The rule <span class="soft mono">{safe(`${alert.gid}:${alert.signature_id}:${alert.rev}`)}</span>
            </h3>
            <pre class="rule" tabIndex={0} role="region" aria-label="Text of the rule">
                {ruleParts(safe(why.rule)).map((p, i) => <span key={i} class={`rule-${p.kind}`}>{p.text}</span>)}
            </pre>
        </>
    );
}

function Match({ match }) {
    const data = fromHex(match.bytes);

    return (
        <li class="match">
            <div class="match-where">
                <span class="keyword">{safe(match.keyword)}</span> in <b class="mono">{safe(match.buffer)}</b>{" "}
                <span class="soft">offset {safe(match.offset)}, {plural(match.length ?? data.length, "byte")}</span>
            </div>
            <div class="match-text mono"><mark>{safe(match.printable)}</mark></div>
            {data.length > 0 && <Dump data={data} label={`Bytes of the match in ${safe(match.buffer)}`} />}
        </li>
    );
}

function Matches({ why }) {
    const list = why.matches ?? [];

    return (
        <>
            <h3>What fitted</h3>
            {list.length
                ? <ol class="matches">{list.map((m, i) => <Match key={i} match={m} />)}</ol>
                : <p class="soft">The rule asks for no bytes: it fired on how the conversation stood.</p>}
        </>
    );
}

function Row({ name, children }) {
    return children === "" || children === undefined || children === null || children === false
        ? null
        : <><dt>{name}</dt><dd>{children}</dd></>;
}

function End({ event, side }) {
    const code = country(event, side);
    const { asn, org } = place(event, side);

    return (
        <>
            <span class="mono">{endpoint(event[`${side}_ip`], event[`${side}_port`])}</span><br />
            {code ? countryName(code) : <span class="soft">no country known</span>}
            {(asn || org) && <span class="soft"> {safe([asn && `AS${asn}`, org].filter(Boolean).join(" "))}</span>}
        </>
    );
}

function Flow({ event }) {
    const f = event.flow ?? {};

    return (
        <>
            <h3>The conversation</h3>
            <dl class="facts">
                <Row name="From"><End event={event} side="src" /></Row>
                <Row name="To"><End event={event} side="dest" /></Row>
                <Row name="Protocol">{safe([event.proto, event.app_proto].filter(Boolean).join(" / "))}</Row>
                <Row name="Direction">{safe(event.direction?.replace("_", " "))}</Row>
                <Row name="To server">{f.pkts_toserver !== undefined &&
                    `${plural(f.pkts_toserver, "packet")}, ${bytes(f.bytes_toserver)}`}</Row>
                <Row name="To client">{f.pkts_toclient !== undefined &&
                    `${plural(f.pkts_toclient, "packet")}, ${bytes(f.bytes_toclient)}`}</Row>
                <Row name="Began">{f.start && when(moment(f.start))}</Row>
                <Row name="Host">{safe(event.http?.hostname ?? event.tls?.sni ?? event.dns?.rrname)}</Row>
                <Row name="Request">{event.http && `${safe(event.http.http_method)} ${safe(event.http.url)}`}</Row>
                <Row name="User agent">{safe(event.http?.http_user_agent)}</Row>
                <Row name="Class">{safe(event.alert?.category)}</Row>
                <Row name="Done">{safe(event.alert?.action)}</Row>
                <Row name="Community id">
                    {event.community_id && <span class="mono">{safe(event.community_id)}</span>}
                </Row>
                <Row name="Seen">{event.ecyber?.replay && "in a replayed capture: no policy acts on it by itself"}</Row>
            </dl>
        </>
    );
}

const figure = (n) => (typeof n === "number" ? String(+n.toPrecision(4)) : "");
const signed = (n) => `${n > 0 ? "+" : ""}${n.toFixed(2)}`;

function Bar({ row, largest }) {
    const share = largest ? Math.abs(row.contribution) / largest : 0;

    return (
        <tr>
            <th scope="row" class="mono">{safe(row.name)}</th>
            <td class="number">{figure(row.value)}</td>
            <td class="number soft">{figure(row.normal_low)} – {figure(row.normal_high)}</td>
            <td class="bar-cell">
                <svg class={row.contribution < 0 ? "part is-less" : "part"} viewBox="0 0 100 8"
                     preserveAspectRatio="none" aria-hidden="true">
                    <rect x="0" y="0" height="8" width={Math.max(share * 100, 1)} rx="1" />
                </svg>
            </td>
            <td class="number">{signed(row.contribution)}</td>
        </tr>
    );
}

function Score({ event }) {
    const s = scoreOf(event);

    if (!s)
        return null;
    const largest = Math.max(...s.features.map((r) => Math.abs(r.contribution)), 0);

    return (
        <>
            <h3>The score <span class="soft mono">{safe(s.model)}</span></h3>
            <p>
                <b>{figure(s.score)}</b> <span class="soft">of 1; suspicious from {figure(s.threshold)} on</span>
            </p>
            <div class="scroll" tabIndex={0} role="region" aria-label="What the score is made of">
                <table class="parts">
                    <thead>
                        <tr>
                            <th>Feature</th><th class="number">Here</th><th class="number">Normal</th>
                            <th><span class="hidden">Share</span></th><th class="number">Adds</th>
                        </tr>
                    </thead>
                    <tbody>{s.features.map((r) => <Bar key={r.name} row={r} largest={largest} />)}</tbody>
                </table>
            </div>
            <p class="soft small">
                With {signed(s.bias ?? 0)} before it looked and {signed(s.rest ?? 0)} of all other features: log-odds
                of {signed(s.margin ?? 0)}.
            </p>
        </>
    );
}

function Packet({ why }) {
    const p = why.packet;

    return p?.data
        ? (
            <details class="packet">
                <summary>The packet, {plural(p.wirelen ?? p.caplen ?? 0, "byte")}</summary>
                <Dump data={fromBase64(p.data)} label="Bytes of the packet" />
            </details>
        )
        : null;
}

export function Why({ event, id }) {
    const why = event.ecyber?.why;

    return (
        <div class="why" id={id}>
            <div class="why-main">
                <Score event={event} />
                {why && <Rule why={why} alert={event.alert} />}
                {why && <Matches why={why} />}
                {!why && !scoreOf(event) && <p class="soft">Whoever raised this alert gave no explanation.</p>}
                {why && <Packet why={why} />}
            </div>
            <div class="why-side">
                <Triage event={event} />
                <Flow event={event} />
                <Block event={event} />
            </div>
        </div>
    );
}
