/* Bundles the page: node build.mjs FOLDER. Run where `npm ci` was; writes gzipped files, as a browser asks for them.
 * Same input, same bytes: nothing of time or place is in them. */
import { build } from "esbuild";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";

const out = process.argv[2];
const here = import.meta.dirname ?? dirname(new URL(import.meta.url).pathname);
const resolve = createRequire(import.meta.url).resolve;
const swagger = dirname(resolve("swagger-ui-dist/package.json"));

async function put(name, bytes) {
    const path = join(out, name + ".gz");

    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, gzipSync(bytes, { level: 9 }));
}

const bundle = await build({
    entryPoints: { app: join(here, "src/main.jsx") },
    outdir: here,
    absWorkingDir: here,
    bundle: true,
    minify: true,
    write: false,
    format: "esm",
    target: ["es2022"],
    jsx: "automatic",
    jsxImportSource: "preact",
    legalComments: "none",
    logLevel: "warning",
});

for (const file of bundle.outputFiles)
    await put(file.path.slice(here.length + 1), file.contents);
for (const name of ["index.html", "icon.svg", "docs/index.html", "docs/start.js", "redoc/index.html", "redoc/start.js"])
    await put(name, await readFile(join(here, "static", name)));
for (const name of ["swagger-ui.css", "swagger-ui-bundle.js"])
    await put("docs/" + name, await readFile(join(swagger, name)));

/* Its maker's mark comes from elsewhere: this page asks nobody else for anything. */
const reader = await readFile(resolve("redoc/bundles/redoc.standalone.js"), "utf8");
const mark = "https://cdn.redoc.ly/redoc/logo-mini.svg";

if (!reader.includes(mark))
    throw new Error("redoc has changed: look where its mark comes from now");
await put("redoc/redoc.standalone.js", reader.replaceAll(mark, "/icon.svg"));
