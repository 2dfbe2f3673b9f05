// Bundles the pages' script, style and charts into src/watchword/web/static/dist/, with hashed names and a manifest.
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const dist = join(here, "..", "src", "watchword", "web", "static", "dist");

rmSync(dist, { recursive: true, force: true });
mkdirSync(dist, { recursive: true });

const result = await build({
  absWorkingDir: here,
  entryPoints: ["src/app.js", "src/app.css"],
  outdir: dist,
  bundle: true,
  minify: true,
  splitting: true,
  format: "esm",
  target: "es2022",
  entryNames: "[name]-[hash]",
  chunkNames: "[name]-[hash]",
  assetNames: "[name]-[hash]",
  metafile: true,
  legalComments: "linked",
  logLevel: "warning",
});

const manifest = {};
for (const [path, output] of Object.entries(result.metafile.outputs)) {
  if (output.entryPoint && !path.endsWith(".map")) manifest[basename(output.entryPoint)] = basename(path);
}
// Static pictures are copied under hashed names, so that they too may be kept for ever.
const pictures = join(here, "src", "pictures");
for (const name of readdirSync(pictures)) {
  const bytes = readFileSync(join(pictures, name));
  const hash = createHash("sha256").update(bytes).digest("hex").slice(0, 8).toUpperCase();
  const hashed = name.replace(/(\.[a-z]+)$/, `-${hash}$1`);
  writeFileSync(join(dist, hashed), bytes);
  manifest[name] = hashed;
}
// What is worth it also lies there compressed, as well as it goes: that is paid once and not at every visit.
for (const name of readdirSync(dist)) {
  if (!/\.(js|css|svg)$/.test(name)) continue;
  const bytes = readFileSync(join(dist, name));
  if (bytes.length > 1024) writeFileSync(join(dist, `${name}.gz`), gzipSync(bytes, { level: 9 }));
}
writeFileSync(join(dist, "manifest.json"), JSON.stringify(manifest, null, 1) + "\n");
console.log(`built ${Object.keys(manifest).length} entries into ${relative(process.cwd(), dist)}`);
