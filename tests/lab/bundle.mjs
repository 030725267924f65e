// `node bundle.mjs TOOL MODULES ENTRY INTO`: bundles for production, each tool with the minifier and
// the names of files that are its default. Prints the addresses that a page loads, in order.
import { createRequire } from "node:module";
import { dirname } from "node:path";
import { pathToFileURL } from "node:url";

const [tool, modules, entry, into] = process.argv.slice(2);
const { resolve } = createRequire(modules + "/");
const load = (name) => import(pathToFileURL(resolve(modules + "/" + name)).href);

function packed(bundler, optimization) {
  const options = {
    mode: "production", devtool: false, context: dirname(entry), entry, optimization,
    output: { path: into + "/static/js", filename: "[name].[contenthash].js" },
  };
  return new Promise((done, fail) => bundler(options, (error, stats) => {
    if (error || stats.hasErrors()) return fail(error || new Error(stats.toString("errors-only")));
    const { assets } = stats.toJson({ all: false, entrypoints: true }).entrypoints.main;
    done(assets.map(({ name }) => "/static/js/" + name));
  }));
}

async function vite() {
  const { build } = await load("vite/dist/node/index.js");
  const { output } = await build({
    root: dirname(entry), configFile: false, logLevel: "error",
    build: { outDir: into, rolldownOptions: { input: entry } },
  });
  return output.filter((one) => one.isEntry).map(({ fileName }) => "/" + fileName);
}

const ways = {
  webpack: async () => packed((await load("webpack")).default, {}),
  chunks: async () => packed((await load("webpack")).default, {
    runtimeChunk: "single", splitChunks: { chunks: "all", minSize: 0 },
  }),
  rspack: async () => packed((await load("@rspack/core/dist/index.js")).rspack, {}),
  vite,
};
console.log((await ways[tool]()).join("\n"));
