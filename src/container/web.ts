import { isAway } from '../engines.js';
import { fileLinks } from '../gateway/http/fileLinks.js';
import { fileRoutes } from '../gateway/http/fileRoutes.js';
import { frontPage } from '../gateway/http/frontPage.js';
import { visitors } from '../gateway/http/visitors.js';
import { webCalls } from '../gateway/http/webCalls.js';
import type { WebRoutes } from '../gateway/sockets/server.js';
import { of, type Get } from './tokens.js';
import { version } from './version.js';

/** Files for browsers, and the page for those that come to the server's own address. */
export const webOf = (get: Get): WebRoutes => {
  const { origins, trustedProxies } = get(of.config);
  const { sockets, calls } = get(of.gateway);
  const [logger, metrics, uptime] = [get(of.logger), get(of.metrics), get(of.uptime)];
  const visiting = visitors(uptime.now);
  const files = fileRoutes({
    origins,
    isAway,
    clock: get(of.clock),
    files: get(of.files),
    links: fileLinks(get(of.sealer)),
    log: logger,
    slowReaders: sockets.slowReaders,
    visitors: visiting,
    cut: (user, bytes) => {
      metrics.count('cuts', 1);
      logger.info({ user: user.toString(), bytes }, 'a slow download was cut');
    },
    webCalls: webCalls({
      calls,
      admission: get(of.admission),
      guard: get(of.guard),
      streams: get(of.streams),
      uses: get(of.sessionUses),
      visitors: visiting,
    }),
  });
  return { ...files, frontPage: frontPage({ version, trustedProxies }) };
};
