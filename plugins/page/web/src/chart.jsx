import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import { beat, history, rates } from "./state.js";
import { clock, rate } from "./text.js";
import { dark } from "./theme.js";

/* The canvas knows no style sheet: it is told what the legend's marks look like. */
function colourOf(place, name) {
    return getComputedStyle(place.querySelector(name)).color;
}

function series() {
    const n = history.time.length;

    return n ? [history.time, history.packets, history.alerts] : [[Date.now() / 1000], [null], [null]];
}

/* A minute at first, then up to the five that are kept. */
function range() {
    const now = Date.now() / 1000;

    return [Math.max(now - 300, Math.min(history.time[0] ?? now, now - 60)), now];
}

const atLeast = (least) => (_, low, high) => [0, Math.max(high * 1.1, least)];

function draw(place) {
    const packets = colourOf(place, ".key-packets");
    const alerts = colourOf(place, ".key-alerts");
    const soft = colourOf(place, ".legend");
    const line = colourOf(place, ".key-line");
    const font = `11px ${getComputedStyle(place).fontFamily}`;
    const axis = { stroke: soft, font, ticks: { show: false }, grid: { stroke: line, width: 1 } };

    return new uPlot({
        width: place.clientWidth,
        height: parseFloat(getComputedStyle(place.querySelector(".canvas")).height),
        padding: [8, 4, 2, 0],
        cursor: { show: false },
        legend: { show: false },
        scales: {
            x: { range },
            packets: { range: atLeast(10) },
            alerts: { range: atLeast(2) },
        },
        axes: [
            { ...axis, grid: { show: false }, space: 80, size: 24, gap: 4, incrs: [15, 30, 60, 120],
              values: (_, times) => times.map((t) => clock(t * 1000)) },
            { ...axis, scale: "packets", size: 44, space: 36, values: (_, list) => list.map(rate) },
            { ...axis, scale: "alerts", side: 1, size: 34, space: 36, grid: { show: false },
              values: (_, list) => list.map(rate) },
        ],
        series: [
            {},
            { scale: "packets", stroke: packets, width: 1.5, points: { show: false },
              fill: packets.replace("rgb(", "rgba(").replace(")", ", 0.12)") },
            { scale: "alerts", stroke: alerts, width: 1.5, points: { show: false },
              paths: uPlot.paths.stepped({ align: 1 }) },
        ],
    }, series(), place.querySelector(".canvas"));
}

export function Chart() {
    const place = useRef(null);

    useEffect(() => {
        let plot = null;
        const again = () => { plot?.destroy(); plot = draw(place.current); };
        const fit = () => plot?.setSize({ width: place.current.clientWidth, height: plot.height });
        const sized = new ResizeObserver(fit);
        const ends = [
            dark.subscribe(again),
            beat.subscribe(() => plot?.setData(series())),
        ];

        sized.observe(place.current);
        return () => { ends.forEach((end) => end()); sized.disconnect(); plot?.destroy(); };
    }, []);
    return (
        <section class="panel chart" ref={place} aria-label="Packets and alerts a second">
            <div class="legend">
                <span class="key"><i class="key-packets" />Packets/s</span>
                <span class="key"><i class="key-alerts" />Alerts/s</span>
                <i class="key-line" />
                <span class="soft space-before">up to five minutes</span>
            </div>
            <div class="canvas" role="img" aria-label={`Now ${rate(rates.value.packets ?? 0)} packets and ${
                rate(rates.value.alerts ?? 0)} alerts a second.`} />
        </section>
    );
}
