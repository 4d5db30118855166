import { NodeHttpHandler } from "@smithy/node-http-handler";

/** The proxy for a URL, or undefined = straight. May throw a UserError. */
export type ProxyOf = (url: URL) => URL | undefined;

type Handle = NodeHttpHandler["handle"];

/** Milliseconds, for one attempt. */
export interface Limits {
  readonly connectionTimeout: number;
  readonly requestTimeout: number;
}

const LIMITS: Limits = { connectionTimeout: 5_000, requestTimeout: 20_000 };

/**
 * The SDK's HTTP handler with the runner's proxy, which the SDK does not look for itself. Each request chooses, because
 * NO_PROXY may name one service's endpoint (in a VPC) and not another's.
 */
export class ProxiedHandler {
  readonly metadata = { handlerProtocol: "http/1.1" };
  readonly #handlers = new Map<string, Promise<NodeHttpHandler>>();

  constructor(
    private readonly proxyOf: ProxyOf,
    private readonly limits: Limits = LIMITS,
  ) {}

  async handle(...[request, options]: Parameters<Handle>): ReturnType<Handle> {
    const { protocol, hostname, port } = request;
    const proxy = this.proxyOf(new URL(`${protocol}//${hostname}${port ? `:${port}` : ""}/`));
    const handler = await this.#through(proxy);
    return handler.handle(request, options);
  }

  #through(proxy: URL | undefined): Promise<NodeHttpHandler> {
    const key = proxy?.href ?? "";
    const handler = this.#handlers.get(key) ?? handlerFor(proxy, this.limits);
    this.#handlers.set(key, handler);
    return handler;
  }

  destroy(): void {
    for (const handler of this.#handlers.values()) handler.then((made) => made.destroy());
    this.#handlers.clear();
  }

  // The SDK sets its defaults by these two; all that matters here is set above.
  updateHttpClientConfig(): void {}
  httpHandlerConfigs(): Record<string, never> {
    return {};
  }
}

async function handlerFor(proxy: URL | undefined, limits: Limits): Promise<NodeHttpHandler> {
  const options = { ...limits, throwOnRequestTimeout: true }; // else it only warns
  if (!proxy) return new NodeHttpHandler(options);
  const { HttpsProxyAgent } = await import("https-proxy-agent"); // only where there is a proxy
  const agent = new HttpsProxyAgent(proxy, { keepAlive: true });
  return new NodeHttpHandler({ ...options, httpAgent: agent, httpsAgent: agent as never });
}
