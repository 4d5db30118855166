import org.codelibs.opensearch.runner.OpenSearchRunner;
import org.opensearch.http.HttpInfo;

/** One node on loopback, on a port that is free. It lives until its input ends, so it never outlives the test that started it. */
class OpenSearch {
  public static void main(String[] args) throws Exception {
    var runner = new OpenSearchRunner();
    runner
      .onBuild((number, settings) -> {
        settings.putList("node.roles", "cluster_manager", "data", "ingest");
        settings.put("network.host", "127.0.0.1");
        settings.put("http.port", "0");
        settings.put("transport.port", "0");
      })
      .build(OpenSearchRunner.newConfigs().basePath(args[0]).numOfNode(1).disableESLogger());
    var info = runner.client().admin().cluster().prepareNodesInfo().get().getNodes().get(0);
    System.out.println("listens: " + info.getInfo(HttpInfo.class).getAddress().publishAddress());
    while (System.in.read() != -1) {}
    runner.close();
  }
}
