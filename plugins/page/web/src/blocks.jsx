/* The addresses that are blocked now, each with who asked and when it ends. */
import { signal } from "@preact/signals";
import { ask, tell } from "./api.js";
import { say } from "./notice.jsx";
import { me, plugin, stats } from "./state.js";
import { moment, safe, when } from "./text.js";

const blocks = signal(null);    /* null: not known yet */
const why = signal("");
const enforcing = signal(null); /* of /api/firewall/status; null: not known yet */

export function mayBlock() {
    return /\b(admin|operator)\b/.test(me.value?.roles ?? "");
}

/* A sentence where nothing can be blocked, else "". */
export function whyNoFirewall() {
    const firewall = plugin("firewall");

    if (!stats.value)
        return "";
    if (!firewall)
        return "Nothing can be blocked: this daemon runs without a firewall plugin.";
    if (firewall.status !== "running")
        return `Nothing can be blocked: ${firewall.why ?? "the firewall plugin does not run"}.`;
    return enforcing.value?.enforcing === false ? `Nothing can be blocked: ${enforcing.value.problem}.` : "";
}

export async function loadBlocks() {
    try {
        const [status, answer] = await Promise.all([ask("/api/firewall/status"), ask("/api/firewall/blocks")]);

        enforcing.value = status;
        blocks.value = answer.items ?? [];
        why.value = "";
    } catch (error) {
        blocks.value = [];
        why.value = error.status === 404 ? "" : error.message;
    }
}

export async function unblock(id, address) {
    try {
        await tell("DELETE", `/api/firewall/blocks/${encodeURIComponent(id)}`);
        say(`${address} is no longer blocked.`);
    } catch (error) {
        say(`${address} is still blocked: ${error.message}`, { bad: true });
    }
    loadBlocks();
}

function Entry({ block }) {
    return (
        <li class="block">
            <span class="mono">{safe(block.address)}</span>
            <span class="soft">
                {block.state === "active" ? "" : `${safe(block.state)}, `}until {when(moment(block.until))}
            </span>
            {mayBlock() && (
                <button type="button" class="quiet" aria-label={`Unblock ${safe(block.address)}`}
                        onClick={() => unblock(block.id, block.address)}>
                    Undo
                </button>
            )}
            <span class="soft block-why">{safe([block.who, block.reason].filter(Boolean).join(": "))}</span>
        </li>
    );
}

export function Blocks() {
    const not = whyNoFirewall();
    const list = blocks.value;

    return (
        <section class="panel" aria-labelledby="blocks-title">
            <div class="panel-head"><h2 id="blocks-title">Blocked</h2></div>
            {not || why.value
                ? <p class="empty">{safe(not || why.value)}</p>
                : !list
                    ? <p class="empty">Loading…</p>
                    : list.length === 0
                        ? <p class="empty">Nobody is blocked.</p>
                        : <ul class="plain">{list.map((b) => <Entry key={b.id} block={b} />)}</ul>}
        </section>
    );
}
