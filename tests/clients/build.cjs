// Builds an entry file with one bundler and, where it is told to, Sentry's plugin for it, which uploads.
const path = require("node:path");
const { createRequire } = require("node:module");
const { bundler, client, modules, entry, into, options } = JSON.parse(process.argv[2]);
const load = createRequire(path.join(modules, "of-the-clients.js"));
const exported = client && load(client);
const named = client && Object.entries(exported).find(([name]) => /^sentry\w+Plugin$/.test(name));
const make = named ? named[1] : (given) => new exported(given); // version 1 is a class
const plugins = client ? [make(options)].flat() : [];
const [folder, file] = [path.dirname(into), path.basename(into)];

const builds = {
  esbuild: () =>
    load("esbuild").build({
      entryPoints: [entry], outfile: into, bundle: true, minify: true, sourcemap: true, plugins,
    }),
  async rollup() {
    const made = await load("rollup").rollup({ input: entry, plugins });
    await made.write({ file: into, format: "iife", name: "shop", sourcemap: true });
    await made.close();
  },
  vite: () =>
    load("vite").build({
      root: path.dirname(entry), configFile: false, logLevel: "warn", plugins,
      build: {
        outDir: folder, sourcemap: true, emptyOutDir: false,
        rollupOptions: { input: entry, output: { format: "iife", entryFileNames: file } },
      },
    }),
  webpack: () =>
    new Promise((done, failed) =>
      load("webpack")(
        {
          entry, mode: "production", devtool: "source-map", plugins,
          output: { path: folder, filename: file },
        },
        (error, stats) =>
          error || stats.hasErrors() ? failed(error || stats.toString()) : done(),
      ),
    ),
};

builds[bundler]().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
