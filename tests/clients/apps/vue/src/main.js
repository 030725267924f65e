import * as Sentry from "@sentry/vue";
import { createApp } from "vue";
import App from "./App.vue";
import { dsn, release } from "./settings.js";

const app = createApp(App);
Sentry.init({ app, dsn, release });
app.mount("#app");
