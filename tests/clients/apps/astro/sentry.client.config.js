import * as Sentry from "@sentry/astro";
import { dsn, release } from "./src/settings.js";

Sentry.init({ dsn, release });
