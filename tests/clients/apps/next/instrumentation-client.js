import * as Sentry from "@sentry/nextjs";
import { dsn } from "./settings.js";

Sentry.init({ dsn });

export const onRouterTransitionStart = Sentry.captureRouterTransitionStart;
