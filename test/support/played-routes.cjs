// Loaded into a step by NODE_OPTIONS, in place of the machine's DNS and routes: HTTPS to a name in PLAYED_ROUTES (JSON,
// name to port) goes to that port of this machine. The step's own code is as it is shipped, and checks the certificate.
const { Socket } = require("node:net");

const routes = JSON.parse(process.env.PLAYED_ROUTES);
const { connect } = Socket.prototype;

const routed = (options) => {
  const port = Number(options?.port) === 443 ? routes[options.host] : undefined;
  return port ? { ...options, host: "127.0.0.1", port } : options;
};

// node:net and node:tls give one array, with the options first.
Socket.prototype.connect = function (first, ...rest) {
  if (Array.isArray(first)) first[0] = routed(first[0]);
  return connect.call(this, Array.isArray(first) ? first : routed(first), ...rest);
};
