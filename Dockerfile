# syntax=docker/dockerfile:1
FROM node:24.18.0-bookworm-slim AS build
WORKDIR /osmium
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY . .
RUN npm run build && npm prune --omit=dev --no-audit --no-fund

FROM node:24.18.0-bookworm-slim
ENV NODE_ENV=production OSMIUM_HOST=0.0.0.0 OSMIUM_PORT=8080 OSMIUM_DATA_DIR=/var/lib/osmium
WORKDIR /osmium
COPY --from=build /osmium/package.json /osmium/LICENSE ./
COPY --from=build /osmium/proto ./proto
COPY --from=build /osmium/scripts/smoke.mjs ./scripts/smoke.mjs
COPY --from=build /osmium/dist/src ./dist/src
COPY --from=build /osmium/node_modules ./node_modules
RUN install -d -o node -g node -m 0700 /var/lib/osmium /var/lib/osmium-files
USER node
VOLUME /var/lib/osmium
EXPOSE 8080
# It lives; whether clients should come is what /readyz says, and a node that is not ready should not be restarted.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:8080/healthz').then(({ok}) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "dist/src/main.js"]
