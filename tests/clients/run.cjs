// Runs a built script as a page would, under the address it is served at, and prints what is thrown.
const fs = require("node:fs");
const vm = require("node:vm");
const [file, address] = process.argv.slice(2);
globalThis.window = globalThis;
vm.runInThisContext(fs.readFileSync(file, "utf8"), { filename: address });
try {
  window.buy();
} catch (error) {
  console.log(JSON.stringify({ stack: error.stack, ids: globalThis._sentryDebugIds ?? {} }));
}
