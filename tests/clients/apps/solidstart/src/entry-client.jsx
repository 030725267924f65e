// @refresh reload
import * as Sentry from "@sentry/solidstart";
import { mount, StartClient } from "@solidjs/start/client";
import { dsn, release } from "./settings.js";

Sentry.init({ dsn, release });

mount(() => <StartClient />, document.getElementById("app"));
