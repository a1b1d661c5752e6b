/* What was lost, where and why, with what helps: rows of /api/system/stats or /api/system/drops. */

const advice = {
    lost_kernel: "Packets came faster than they were read: more workers, or a larger capture buffer.",
    lost_nic: "The network card lost them before eCyber saw them.",
    bad: "The capture file holds records that cannot be read.",
    dropped_by_verdict: "Rules told to drop them.",
    arena: "More events at once than core.arena holds.",
    ring: "A lane fell behind its worker: raise core.ring.",
    queue: "It was too slow for its queue: raise core.queue_events and core.queue_bytes.",
    sample: "Its queue was over half full, so it took one of sixteen.",
    shutdown: "Left when the daemon ended.",
};
const names = {
    lost_kernel: "lost by the kernel",
    lost_nic: "lost by the card",
    bad: "unreadable",
    dropped_by_verdict: "dropped by a rule",
};

function packetRows(account) {
    const rows = {};

    for (const worker of account.packets ?? []) {
        const all = { ...worker.source, dropped_by_verdict: worker.dropped_by_verdict };

        for (const reason of Object.keys(names))
            rows[reason] = (rows[reason] ?? 0) + (all[reason] ?? 0);
    }
    return Object.entries(rows)
        .map(([reason, n]) => ({ layer: "packets", reason: names[reason], n, advice: advice[reason] }));
}

function eventRows(account) {
    const rows = {};

    for (const row of account.events ?? [])
        for (const [reason, n] of Object.entries(row.dropped ?? {})) {
            const key = `events ${row.plugin ? "to " + row.plugin : "on the bus"}\n${reason}`;

            rows[key] = (rows[key] ?? 0) + n;
        }
    return Object.entries(rows).map(([key, n]) => {
        const [layer, reason] = key.split("\n");

        return { layer, reason, n, advice: advice[reason] ?? "" };
    });
}

/* Stats have every metric, drops the losses with what to do about them. */
function pluginRows(account) {
    if (account.losses)
        return account.losses.map((l) => ({ layer: l.plugin, reason: l.reason, n: l.n, advice: l.why ?? "" }));
    return Object.entries(account.metrics ?? {})
        .filter(([plugin]) => plugin !== "core")
        .flatMap(([plugin, metrics]) => Object.entries(metrics)
            .filter(([name]) => /(^|\.)dropped\./.test(name))
            .map(([name, n]) => ({ layer: plugin, reason: name.replace(/.*dropped\./, ""), n, advice: "" })));
}

/* Only what happened. */
export function drops(account) {
    return [...packetRows(account), ...eventRows(account), ...pluginRows(account)]
        .filter((row) => row.n > 0)
        .sort((a, b) => b.n - a.n);
}
