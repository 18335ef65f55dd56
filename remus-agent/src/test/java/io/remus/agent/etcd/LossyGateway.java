package io.remus.agent.etcd;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.remus.agent.config.AgentConfig;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;

/** Stands before a member of etcd and loses what it says to changes. */
public final class LossyGateway implements AutoCloseable {
  private final URI member;
  private final HttpServer server;
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final HttpClient http =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
  private final AtomicInteger toLose = new AtomicInteger();
  private final Runnable beforeChange;

  /**
   * Begins to listen.
   *
   * @param lose so many answers to changes
   * @param beforeChange done before a change reaches the member
   */
  public LossyGateway(EtcdCluster.Member member, int lose, Runnable beforeChange)
      throws IOException {
    this.member = member.client();
    this.beforeChange = beforeChange;
    toLose.set(lose);
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setExecutor(threads);
    server.createContext("/", this::pass);
    server.start();
  }

  /** A client that knows nothing but this. */
  public EtcdClient client() throws IOException {
    URI here = URI.create("http://127.0.0.1:" + server.getAddress().getPort());
    AgentConfig.Arbiter config =
        EtcdCluster.config(List.of(here), Optional.empty(), Optional.empty(), Optional.empty());
    return EtcdClient.open(config);
  }

  private void pass(HttpExchange exchange) throws IOException {
    try (exchange) {
      boolean change = exchange.getRequestURI().getPath().equals("/v3/kv/txn");
      if (change) {
        beforeChange.run();
      }
      HttpResponse<byte[]> answer =
          http.send(
              HttpRequest.newBuilder(member.resolve(exchange.getRequestURI().getPath()))
                  .POST(
                      HttpRequest.BodyPublishers.ofByteArray(
                          exchange.getRequestBody().readAllBytes()))
                  .build(),
              HttpResponse.BodyHandlers.ofByteArray());
      if (change && toLose.getAndDecrement() > 0) {
        return;
      }
      exchange.sendResponseHeaders(answer.statusCode(), answer.body().length);
      exchange.getResponseBody().write(answer.body());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void close() {
    server.stop(0);
    threads.shutdownNow();
  }
}
