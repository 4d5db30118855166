/** A `command`: an app that answers everything but /health after DELAY milliseconds. */
const program = `
const { createServer } = require("node:http");
const wait = (path) => (path === "/health" ? 0 : Number(process.env.DELAY));
const server = createServer((asked, answer) => setTimeout(() => answer.end("late"), wait(asked.url)));
server.keepAliveTimeout = 65000;
server.listen(5000);
process.on("SIGTERM", () => { server.close(() => process.exit(0)); server.closeIdleConnections(); });
`;

export const delayed = `node -e '${program.replaceAll("\n", " ")}'`;
