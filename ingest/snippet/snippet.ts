/* The script that ingest serves at /c/{key}.js; it puts the address of POST /e/{key} in place of the string, and the
 * project's filters behind it.
 */
import { start } from "./catchwater";

start("__CATCHWATER_ENDPOINT__", {});
