import * as Sentry from "@sentry/sveltekit";
import { dsn, release } from "./settings.js";

Sentry.init({ dsn, release });

export const handleError = Sentry.handleErrorWithSentry();
