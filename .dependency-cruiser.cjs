// The arrows of docs/architecture.md: actions -> release -> {host, health, aws}; aws -> health for the words of a verdict; actions -> health where nothing is released; github is used
// by actions alone, and by the edge that they share.
const only = (name, from, to) => ({ name, severity: "error", from: { path: from }, to: { path: to } });

module.exports = {
  forbidden: [
    { name: "no import cycle", severity: "error", from: {}, to: { circular: true } },
    only("nothing imports actions", "^src/", "^actions/"),
    only("health knows no room", "^src/health/", "^src/(host|release|github|aws)/"),
    only("host knows no room", "^src/host/", "^src/(release|health|github|aws)/"),
    only("aws knows only how health says what it found", "^src/aws/", "^src/(release|host|github)/|@actions/"),
    only("release does not know GitHub", "^src/release/", "^src/github/|@actions/|^process$"),
    only(
      "github knows the middle's types at most, and the language of metric rules",
      "^src/github/",
      "^src/host/|^src/aws/(?!metric-rule\\.ts$)|^src/health/(?!(request|outcome)\\.ts$)",
    ),
    only("health knows no GitHub", "^src/health/", "@actions/|^process$"),
    only("the edge is for actions", "^src/(host|release|health|github|aws)/", "^src/edge/"),
    { name: "no orphan", severity: "error", from: { orphan: true, pathNot: "index\\.ts$" }, to: {} },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    doNotFollow: { path: "node_modules" },
  },
};
