/* Blocks one end of an alert's flow: who, why, until when; a step to confirm it, and a way back. */
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { tell } from "./api.js";
import { mayBlock, loadBlocks, unblock, whyNoFirewall } from "./blocks.jsx";
import { attacker } from "./event.js";
import { say } from "./notice.jsx";
import { moment, safe, when } from "./text.js";

const durations = [[600, "10 minutes"], [3600, "1 hour"], [86400, "1 day"], [604800, "7 days"]];

function Confirm({ event, onDone }) {
    const name = useId();
    const first = useRef(null);
    const [side, setSide] = useState(attacker(event));
    const [seconds, setSeconds] = useState(3600);
    const [busy, setBusy] = useState(false);
    const [why, setWhy] = useState("");
    const address = event[`${side}_ip`];

    useEffect(() => first.current?.focus(), []);
    async function submit(e) {
        e.preventDefault();
        setBusy(true);
        setWhy("");
        try {
            const block = await tell("POST", "/api/firewall/blocks", {
                ip: address, duration: `${seconds}s`, reason: safe(event.alert?.signature).slice(0, 200),
                ...(event.id !== undefined && { cause: String(event.id) }),
            });

            say(`${address} is blocked until ${when(moment(block.until))}.`,
                { undo: () => unblock(block.id, address) });
            loadBlocks();
            onDone();
        } catch (error) {
            setWhy(error.message);
            setBusy(false);
        }
    }
    return (
        <form class="confirm" aria-label="Block an address" onSubmit={submit}
              onKeyDown={(e) => e.key === "Escape" && onDone()}>
            <fieldset>
                <legend>Block which end?</legend>
                {["src", "dest"].map((s) => (
                    <label key={s} class="choice">
                        <input type="radio" name={name} checked={side === s} onChange={() => setSide(s)} />
                        <span class="mono">{safe(event[`${s}_ip`])}</span>
                        {s === attacker(event) && <span class="soft">attacks</span>}
                    </label>
                ))}
            </fieldset>
            <label class="choice">
                <span>For</span>
                <select ref={first} value={seconds} onChange={(e) => setSeconds(Number(e.target.value))}>
                    {durations.map(([n, text]) => <option key={n} value={n}>{text}</option>)}
                </select>
            </label>
            <p class="soft">
                Its packets are dropped until {when(Date.now() + seconds * 1000)}; you can undo it at any time.
                {event.ecyber?.replay && " This alert comes from a replayed capture."}
            </p>
            <div role="alert">{why && <p class="wrong">{safe(why)}</p>}</div>
            <div class="buttons">
                <button type="submit" class="danger" disabled={busy}>
                    {busy ? "Blocking…" : `Block ${safe(address)}`}
                </button>
                <button type="button" onClick={onDone}>Cancel</button>
            </div>
        </form>
    );
}

export function Block({ event }) {
    const [asked, setAsked] = useState(false);
    const button = useRef(null);
    const not = whyNoFirewall();

    if (!mayBlock())
        return null;
    if (not)
        return <p class="soft no-firewall">{safe(not)}</p>;
    if (asked)
        return <Confirm event={event} onDone={() => { setAsked(false); setTimeout(() => button.current?.focus()); }} />;
    return (
        <button type="button" class="danger-quiet" ref={button} onClick={() => setAsked(true)}>
            Block {safe(event[`${attacker(event)}_ip`])}…
        </button>
    );
}
