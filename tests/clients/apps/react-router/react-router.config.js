import { sentryOnBuildEnd } from "@sentry/react-router";

export default {
  ssr: false,
  buildEnd: async (args) => {
    await sentryOnBuildEnd(args);
  },
};
