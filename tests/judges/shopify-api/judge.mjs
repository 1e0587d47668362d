// Answers questions with Shopify's own library: one JSON object a line in, one a line out.
import "@shopify/shopify-api/adapters/node";
import { createInterface } from "node:readline";
import { ApiVersion, LogSeverity, shopifyApi } from "@shopify/shopify-api";

function library({ clientId, secret, scopes, host }) {
  return shopifyApi({
    apiKey: clientId,
    apiSecretKey: secret,
    scopes: scopes ?? ["read_products"],
    hostName: host ?? "sync.example",
    hostScheme: "https",
    apiVersion: Object.values(ApiVersion).at(-1),
    isEmbeddedApp: false,
    isTesting: true,
    logger: { level: LogSeverity.Error, log: () => undefined },
  });
}

// What the library needs of a request and an answer of Node's. It sends no robots to Shopify.
function exchange() {
  const seen = { headers: {} };
  const request = { headers: { "user-agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36" }, method: "GET", url: "/auth" };
  const response = {
    setHeader: (name, value) => (seen.headers[name.toLowerCase()] = value),
    getHeaders: () => seen.headers,
    write: () => undefined,
    end: () => undefined,
  };
  return { seen, request, response };
}

const QUESTIONS = {
  // Whether a callback is signed by the app's secret, just now.
  callback: async (asked) => library(asked).utils.validateHmac(asked.query),
  // The claims of a session token.
  session: async (asked) => library(asked).session.decodeSessionToken(asked.token),
  // The shop's address, or null for what is none.
  shop: async (asked) => library(asked).utils.sanitizeShop(asked.shop),
  // Where the library itself would send the merchant.
  begin: async (asked) => {
    const { seen, request, response } = exchange();
    const given = { shop: asked.shop, callbackPath: asked.path, isOnline: Boolean(asked.isOnline) };
    await library(asked).auth.begin({ ...given, rawRequest: request, rawResponse: response });
    return seen.headers.location;
  },
  // Whether a webhook is Shopify's.
  webhook: async (asked) => {
    const request = { headers: asked.headers, method: "POST", url: "/webhooks" };
    return library(asked).webhooks.validate({ rawBody: asked.body, rawRequest: request });
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const asked = JSON.parse(line);
  let told;
  try {
    told = { answer: (await QUESTIONS[asked.question](asked)) ?? null };
  } catch (error) {
    told = { error: error.constructor.name, message: String(error.message) };
  }
  process.stdout.write(`${JSON.stringify(told)}\n`);
}
