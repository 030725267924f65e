import * as Sentry from "@sentry/nuxt";
import { dsn, release } from "./app/settings.js";

Sentry.init({ dsn, release });
