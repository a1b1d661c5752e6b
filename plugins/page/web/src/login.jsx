import { useRef, useState } from "preact/hooks";
import { changePassword, ended, login, logOut } from "./api.js";
import { safe } from "./text.js";

export function Field({ label, hint, wrong, id, ...rest }) {
    return (
        <div class="field">
            <label for={id}>{label}</label>
            <input id={id} name={id} aria-invalid={wrong ? "true" : undefined}
                   aria-describedby={hint || wrong ? `${id}-hint` : undefined} required {...rest} />
            {(hint || wrong) && <p id={`${id}-hint`} class={wrong ? "wrong" : "soft"}>{safe(wrong || hint)}</p>}
        </div>
    );
}

/* A form that asks, waits, and says what went wrong. */
export function Card({ title, lead, action, children, onSubmit, foot }) {
    const [busy, setBusy] = useState(false);
    const [why, setWhy] = useState("");
    const form = useRef(null);

    async function submit(event) {
        event.preventDefault();
        setBusy(true);
        setWhy("");
        try {
            await onSubmit(Object.fromEntries(new FormData(form.current)));
        } catch (error) {
            setWhy(error.message);
            setBusy(false);
        }
    }
    return (
        <main class="card-place">
            <form class="card" ref={form} onSubmit={submit}>
                <h1><img src="/icon.svg" alt="" width="28" height="28" />{title}</h1>
                {lead && <p class="soft">{lead}</p>}
                {children}
                <div role="alert">{why && <p class="wrong">{safe(why)}</p>}</div>
                <button type="submit" class="primary" disabled={busy}>{busy ? "One moment…" : action}</button>
                {foot}
            </form>
        </main>
    );
}

/* foot: what else may be done without having logged in. */
export function LogIn({ foot }) {
    const [asked, setAsked] = useState(false);

    async function enter({ username, password, code }) {
        if (!await login(username, password, code))
            return;
        setAsked(true);
        throw new Error("Now the code that your app shows, or a recovery code.");
    }
    return (
        <Card title="eCyber" action="Log in"
              lead={ended.value || "The first time, the password stands in the file that the daemon named."}
              onSubmit={enter} foot={foot}>
            <Field id="username" label="User" autocomplete="username" autofocus autocapitalize="none"
                   spellcheck={false} />
            <Field id="password" label="Password" type="password" autocomplete="current-password" />
            {asked && <Field id="code" label="Code" autocomplete="one-time-code" spellcheck={false} autofocus />}
        </Card>
    );
}

export function NewPassword({ oneTime, onDone }) {
    async function change({ current, fresh, again }) {
        if (fresh !== again)
            throw new Error("The two new passwords differ.");
        await changePassword(current, fresh);
        onDone();
    }
    return (
        <Card title={oneTime ? "Choose a password" : "Change the password"} action="Change it"
              lead={oneTime ? "The one you logged in with is good for one time." : ""} onSubmit={change}
              foot={oneTime
                  ? <button type="button" class="quiet" onClick={() => logOut()}>Log out</button>
                  : <button type="button" class="quiet" onClick={onDone}>Leave it as it is</button>}>
            <Field id="current" label={oneTime ? "One-time password" : "Password"} type="password"
                   autocomplete="current-password" />
            <Field id="fresh" label="New password" type="password" autocomplete="new-password"
                   hint="A sentence is best." />
            <Field id="again" label="New password, once more" type="password" autocomplete="new-password" />
        </Card>
    );
}
