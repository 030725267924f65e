import * as Sentry from "sdk";
import { options } from "./sentry.js";

Sentry.init(options);
