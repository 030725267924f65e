// Makes the script on standard input small, in ES2015 and ASCII.
const { readFileSync } = require("node:fs");
const { minifySync } = require("@swc/core");

const compress = { passes: 4, toplevel: true, ecma: 2015 };
const options = { compress, mangle: { toplevel: true }, ecma: 2015, format: { asciiOnly: true } };
process.stdout.write(minifySync(readFileSync(0, "utf8"), options).code);
