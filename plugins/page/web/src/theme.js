/* Light, dark, or as the system says. Kept in the browser. */
import { effect, signal } from "@preact/signals";

const KEY = "ecyber.theme";

export const themes = ["system", "light", "dark"];

function kept() {
    try {
        return themes.includes(localStorage.getItem(KEY)) ? localStorage.getItem(KEY) : "system";
    } catch {
        return "system";
    }
}

export const theme = signal(kept());
export const dark = signal(false);      /* what is shown */

const system = matchMedia("(prefers-color-scheme: dark)");

function show() {
    dark.value = theme.value === "dark" || (theme.value === "system" && system.matches);
}

system.addEventListener("change", show);
effect(() => {
    if (theme.value === "system")
        delete document.documentElement.dataset.theme;
    else
        document.documentElement.dataset.theme = theme.value;
    try {
        localStorage.setItem(KEY, theme.value);
    } catch {
        /* kept for this visit only */
    }
    show();
});
