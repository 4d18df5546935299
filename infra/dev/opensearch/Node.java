// One node of OpenSearch in the foreground. java -cp "jars/*" Node.java FOLDER [setting=value ...]
// Says "READY <port>" when it listens; without http.port it is a free one. No security plugin: no
// logins, no TLS. It keeps to loopback, and ends with its standard input: with who started it.

import org.codelibs.opensearch.runner.OpenSearchRunner;
import org.opensearch.http.HttpServerTransport;

public class Node {
  public static void main(String[] words) throws Exception {
    OpenSearchRunner runner = new OpenSearchRunner();
    runner.onBuild((number, settings) -> {
      settings.put("network.host", "127.0.0.1");
      settings.put("http.port", 0);
      settings.put("transport.port", 0);
      settings.put("cluster.routing.allocation.disk.threshold_enabled", false);
      for (int i = 1; i < words.length; i++) {
        String[] pair = words[i].split("=", 2);
        settings.put(pair[0], pair[1]);
      }
    });
    runner.setMaxHttpPort(65535);
    var configs = OpenSearchRunner.newConfigs().basePath(words[0]).numOfNode(1);
    runner.build(configs.clusterName("barograph").disableESLogger());
    Runtime.getRuntime().addShutdownHook(new Thread(() -> close(runner)));
    var http = runner.node().injector().getInstance(HttpServerTransport.class);
    System.out.println("READY " + http.boundAddress().publishAddress().getPort());
    while (System.in.read() != -1) {}
    System.exit(0);
  }

  private static void close(OpenSearchRunner runner) {
    try {
      runner.close();
    } catch (Exception e) {
      e.printStackTrace();
    }
  }
}
