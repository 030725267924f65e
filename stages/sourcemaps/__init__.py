"""Source maps: what a minified frame was before the build. docs/sourcemaps.md tells it whole.

Pure in the middle: `positions`, `scopes` and `resolve` see bytes and frames; `store` alone speaks to MongoDB.
"""
