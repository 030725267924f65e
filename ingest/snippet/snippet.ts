/* The script that ingest serves at /c/{key}.js; it puts the address of POST /e/{key} in place of the string, and the
 * project's filters behind it.
 */
import { start } from "./catchwater";

try {
  start("__CATCHWATER_ENDPOINT__", {});
} catch (_) {} // what it needs may throw when it is read: blockers do that
